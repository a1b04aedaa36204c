public import SpillwayCore

extension Hedge {
    /// How long to wait for an attempt before another is started beside it.
    public struct Delay: Sendable {
        enum Kind: Sendable {
            case fixed(Duration)
            case quantile(Double, LatencyHistogram?, initially: Duration?, atLeast: Duration, atMost: Duration)
            case custom(@Sendable (Call) -> Duration?)
        }

        let kind: Kind

        /// Always the same, from zero to 10 years; zero starts the hedge together with the call.
        public static func fixed(_ delay: Duration) -> Delay { Delay(kind: .fixed(delay)) }

        /// The time within which the share `quantile` of calls ends, as seen of late: at 0.95, one call in twenty is hedged.
        ///
        /// First attempts are counted, also those cut short because another won (Dean and Barroso, *The tail at scale*, CACM
        /// 2013, hedge there; `LatencyHistogram` says how it counts). The quantile is read four times a second at most.
        ///
        /// A budget of 5 % and a quantile of 0.9 hedge half of the slowest tenth, chosen by the budget. Where a fixed share of
        /// calls is slow, keep the quantile below that share's edge: at the edge it is as often one side as the other.
        ///
        /// - Parameters:
        ///   - quantile: From 0.5 to 0.9999.
        ///   - histogram: Where times are counted; by default one of its own with the defaults. Share it to look at it, or
        ///     among hedges of the same target.
        ///   - initially: The delay while too few calls were seen; nil, the default, is no hedge until then.
        ///   - atLeast: The shortest delay; 1 ms by default.
        ///   - atMost: The longest delay; 10 minutes by default.
        public static func quantile(
            _ quantile: Double, of histogram: LatencyHistogram? = nil, initially: Duration? = nil,
            atLeast: Duration = .milliseconds(1), atMost: Duration = .seconds(600)
        ) -> Delay {
            Delay(kind: .quantile(quantile, histogram, initially: initially, atLeast: atLeast, atMost: atMost))
        }

        /// As `delay` says for each call; nil is no hedge for that call, and a negative delay counts as zero.
        ///
        /// Asked once a call, and not for one that ends at once.
        public static func custom(_ delay: @escaping @Sendable (Call) -> Duration?) -> Delay {
            Delay(kind: .custom(delay))
        }

        /// The delay, checked and ready for use.
        func clock() throws(ConfigurationError) -> Clock {
            let check = Validation("Hedge")
            switch kind {
            case .fixed(let delay):
                try check.duration(delay, "delay")
                return .fixed(delay.clampedNanoseconds)
            case .quantile(let quantile, let histogram, let initially, let atLeast, let atMost):
                try check.number(quantile, "quantile", in: 0.5...0.9999)
                if let initially { try check.duration(initially, "initially") }
                try check.duration(atLeast, "atLeast")
                try check.duration(atMost, "atMost", atLeast: atLeast)
                let kept: LatencyHistogram
                if let histogram { kept = histogram } else { kept = try LatencyHistogram() }
                return .adaptive(
                    AdaptiveDelay(kept, quantile, initially: initially, atLeast: atLeast, atMost: atMost))
            case .custom(let delay): return .custom(delay)
            }
        }
    }

    /// Says after how many nanoseconds the hedge of a call is due.
    enum Clock: Sendable {
        case fixed(Int64)
        case adaptive(AdaptiveDelay)
        case custom(@Sendable (Call) -> Duration?)

        func nanoseconds(_ call: Call, at now: Instant) -> Int64? {
            switch self {
            case .fixed(let delay): delay
            case .adaptive(let delay): delay.nanoseconds(at: now)
            case .custom(let delay): delay(call).map { max(0, $0.clampedNanoseconds) }
            }
        }
    }
}
