public import SpillwayCore

extension Hedge {
    /// How long to wait for an attempt before another is started beside it.
    public struct Delay: Sendable {
        enum Kind: Sendable {
            case fixed(Duration)
            case adaptive(
                AdaptiveDelay.Goal, LatencyHistogram?, initially: Duration?, atLeast: Duration, atMost: Duration)
            case custom(@Sendable (Call) -> Duration?)
        }

        let kind: Kind

        /// Always the same, from zero to 10 years; zero starts the hedge together with the call.
        ///
        /// In a policy with a `Deadline` it must be shorter than that, or the hedge would never start.
        public static func fixed(_ delay: Duration) -> Delay { Delay(kind: .fixed(delay)) }

        /// The time within which the share `quantile` of calls ends, as seen of late: at 0.95, one call in twenty is hedged.
        ///
        /// First attempts are counted, also those cut short because another won; `LatencyHistogram` says how. Read four times
        /// a second at most. Where a certain share of calls is slow, the quantile at that share's edge is as often on one
        /// side as on the other: then use ``shortest(_:hedging:of:initially:atLeast:atMost:)``. Source: Dean and Barroso,
        /// *The tail at scale*, CACM 2013.
        ///
        /// It is known only once 100 calls have come to their own end within the two spans of 30 s that the histogram keeps
        /// (`LatencyHistogram.Configuration`). Until then, and again when traffic is too thin for it, the delay is
        /// `initially`; without that there is no hedge.
        ///
        /// - Parameters:
        ///   - quantile: From 0.5 to 0.9999.
        ///   - histogram: Where times are counted; by default one of its own with the defaults. Share it to look at it, or
        ///     among hedges of the same target.
        ///   - initially: The delay while too few calls were seen, from `atLeast` to `atMost`; nil, the default, is no hedge
        ///     until then.
        ///   - atLeast: The shortest delay; 1 ms by default.
        ///   - atMost: The longest delay; 10 minutes by default.
        public static func quantile(
            _ quantile: Double, of histogram: LatencyHistogram? = nil, initially: Duration? = nil,
            atLeast: Duration = .milliseconds(1), atMost: Duration = .seconds(600)
        ) -> Delay {
            Delay(
                kind: .adaptive(.quantile(quantile), histogram, initially: initially, atLeast: atLeast, atMost: atMost))
        }

        /// The delay that makes the quantile `quantile` of the calls' times shortest, when `share` of them may be hedged.
        ///
        /// Give `share` as the ratio of the budget, which decides by what is left in it which of the calls that are due are
        /// hedged. It supposes that a hedge takes the times of a first attempt. Source: Kaler, He and Elnikety, *Optimal
        /// reissue policies for reducing tail latency*, SPAA 2017.
        ///
        /// Known, as a quantile is, only once 100 calls have come to their own end within two spans of 30 s; until then the
        /// delay is `initially`, and without that there is no hedge.
        ///
        /// - Parameters:
        ///   - quantile: What to make short, from 0.5 to 0.9999, as 0.99.
        ///   - share: The share of calls that may be hedged, from 0.001 to 1, as 0.05.
        ///   - histogram: Where times are counted, as above.
        ///   - initially: The delay while too few calls were seen, from `atLeast` to `atMost`; nil, the default, is no hedge
        ///     until then.
        ///   - atLeast: The shortest delay; 1 ms by default.
        ///   - atMost: The longest delay; 10 minutes by default.
        public static func shortest(
            _ quantile: Double, hedging share: Double, of histogram: LatencyHistogram? = nil,
            initially: Duration? = nil, atLeast: Duration = .milliseconds(1), atMost: Duration = .seconds(600)
        ) -> Delay {
            Delay(
                kind: .adaptive(
                    .shortest(quantile, hedging: share), histogram, initially: initially, atLeast: atLeast,
                    atMost: atMost))
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
            case .adaptive(let goal, let histogram, let initially, let atLeast, let atMost):
                switch goal {
                case .quantile(let quantile): try check.number(quantile, "quantile", in: 0.5...0.9999)
                case .shortest(let quantile, let share):
                    try check.number(quantile, "quantile", in: 0.5...0.9999)
                    try check.number(share, "share", in: 0.001...1)
                }
                if let initially { try check.duration(initially, "initially") }
                try check.duration(atLeast, "atLeast")
                try check.duration(atMost, "atMost")
                try check.require(atLeast <= atMost, "atMost", atMost, "atLeast, \(atLeast), or longer")
                if let initially {
                    try check.require(
                        atLeast <= initially && initially <= atMost, "initially", initially,
                        "from atLeast, \(atLeast), to atMost, \(atMost)")
                }
                let kept: LatencyHistogram
                if let histogram { kept = histogram } else { kept = try LatencyHistogram() }
                return .adaptive(
                    AdaptiveDelay(kept, goal, initially: initially, atLeast: atLeast, atMost: atMost))
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
