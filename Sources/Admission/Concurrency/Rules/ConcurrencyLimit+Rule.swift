internal import SpillwayCore

extension ConcurrencyLimit {
    /// How an adaptive limit is found.
    ///
    /// Rules look at windows. A window has at least so many samples and lasts at least ``window`` and two round trips; after
    /// it the limit may change, and then only calls count that are admitted under the new one. While at most half of the
    /// limit is in use it does not grow.
    public struct Rule: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case gradient(GradientRule.Settings)
            case aimd(AIMDRule.Settings)
            case vegas(VegasRule.Settings)
            case model(ModelRule.Settings)
        }

        let kind: Kind
        /// The shortest time between two changes of the limit.
        public let window: Duration
        /// How many calls must have ended between two changes of the limit.
        public let samples: Int

        /// The ratio of long-term to present round trip times: Netflix's `Gradient2Limit`, and a baseline that load cannot
        /// raise.
        ///
        /// limit ← (1 − smoothing) × limit + smoothing × (limit × gradient + queue), where
        /// gradient = max(0.5, min(1, tolerance × long / short)), short is the mean of the window, and long is the
        /// exponential average of windows. Gradient2 lets long follow whatever comes, so that a lasting overload becomes its
        /// idea of normal and the limit climbs to the end of its range. Here long rises only by windows with no more calls in
        /// flight than those that it was learnt from, or with the limit at its minimum; and while a queue is believed in, every so
        /// often one window is spent there, to see. A window in which a tenth of the
        /// calls found no capacity counts as gradient 0.5.
        ///
        /// - Parameters:
        ///   - tolerance: By what factor round trips may be longer than normal, from 1 to 100; 1.5.
        ///   - queue: Places beyond, so that it can grow, from 0 to 1,000; 4.
        ///   - smoothing: How much of the new limit is taken over, above 0 and at most 1; 0.2.
        ///   - longWindow: Windows in the long average, from 1 to 1,000,000; 600.
        ///   - drift: What is left of the long average when it is more than twice the short one, so that it finds back after
        ///     an outage; above 0 and at most 1; 0.95.
        ///   - window: At least 1 ms; 1 s.
        ///   - samples: From 1 to 250; 10.
        public static func gradient(
            tolerance: Double = 1.5, queue: Int = 4, smoothing: Double = 0.2, longWindow: Int = 600,
            drift: Double = 0.95,
            window: Duration = .seconds(1), samples: Int = 10
        ) -> Rule {
            let settings = GradientRule.Settings(
                tolerance: tolerance, queue: queue, smoothing: smoothing, longWindow: longWindow, drift: drift)
            return Rule(kind: .gradient(settings), window: window, samples: samples)
        }

        /// Additive increase, multiplicative decrease: that of TCP (Chiu and Jain, 1989), with the parameters of Netflix's
        /// `AIMDLimit`.
        ///
        /// A window in which more than `tolerance` of the calls found no capacity, or whose mean time is above `latency`,
        /// multiplies the limit by `backoff`; any other adds `increase`, if the limit is in use.
        ///
        /// - Parameters:
        ///   - latency: The mean round trip that is still good, at least 1 ms; nil: only failures count.
        ///   - backoff: From 0.1 to below 1; 0.9.
        ///   - increase: Above 0, at most 1,000; 1.
        ///   - tolerance: The share of failures for want of capacity that changes nothing, from 0 to below 1; 0.01.
        ///   - window: At least 1 ms; 1 s.
        ///   - samples: From 1 to 250; 10.
        public static func aimd(
            latency: Duration? = nil, backoff: Double = 0.9, increase: Double = 1, tolerance: Double = 0.01,
            window: Duration = .seconds(1), samples: Int = 10
        ) -> Rule {
            let settings = AIMDRule.Settings(
                latency: latency, backoff: backoff, increase: increase, tolerance: tolerance)
            return Rule(kind: .aimd(settings), window: window, samples: samples)
        }

        /// As many calls as make a short queue: TCP Vegas (Brakmo and Peterson, 1995) as Netflix's `VegasLimit` has it.
        ///
        /// The queue is limit × (1 − noLoad / round trip). Below log₁₀(limit) the limit grows by beta × log₁₀(limit), below
        /// alpha × log₁₀(limit) by log₁₀(limit), and above beta × log₁₀(limit), or when calls find no capacity, it falls by
        /// that. `VegasLimit` replaces its round trip without load every now and then by the present one, whatever the load;
        /// here it rises only as in ``gradient(tolerance:queue:smoothing:longWindow:drift:window:samples:)``.
        ///
        /// - Parameters:
        ///   - alpha: Above 0, below beta; 3.
        ///   - beta: At most 1,000; 6.
        ///   - smoothing: How much of the new limit is taken over, above 0 and at most 1; 1.
        ///   - window: At least 1 ms; 1 s.
        ///   - samples: From 1 to 250; 10.
        public static func vegas(
            alpha: Double = 3, beta: Double = 6, smoothing: Double = 1, window: Duration = .seconds(1),
            samples: Int = 10
        ) -> Rule {
            Rule(
                kind: .vegas(.init(alpha: alpha, beta: beta, smoothing: smoothing)), window: window, samples: samples)
        }

        /// For calls to models: as many as are served in time, by the time to the first content and the tokens a second.
        ///
        /// A call's round trip says little where answers are of any length; how long the first content took and how fast the
        /// rest came says how loaded the engine is, whatever the length. The limit is where all calls but the share `missing`
        /// meet both goals. An answer that did not stream counts by its round trip if it is known how many tokens it has: it
        /// may take as long as a stream that just meets both goals. Otherwise it teaches nothing, and only holds a place. Calls
        /// that find no capacity, or time out, miss both.
        ///
        /// After the limit has grown, those admitted within `firstContent` do not count: they come all at once. If a share of
        /// calls misses even at the minimum of the range, that share is excused: fewer calls would not help. So the minimum
        /// should be what the target surely bears. The algorithm is this package's own.
        ///
        /// - Parameters:
        ///   - firstContent: The longest time to the first content that is good, at least 1 ms.
        ///   - tokensPerSecond: The fewest tokens a second from then on that are good; above 0, at most a million.
        ///   - missing: The share of calls that may miss one of them, above 0 and at most 0.5; 0.05.
        ///   - window: At least 1 ms; 1 s.
        ///   - samples: From 1 to 250; 50.
        public static func model(
            firstContent: Duration, tokensPerSecond: Double, missing: Double = 0.05, window: Duration = .seconds(1),
            samples: Int = 50
        ) -> Rule {
            let settings = ModelRule.Settings(
                firstContent: firstContent, tokensPerSecond: tokensPerSecond, missing: missing)
            return Rule(kind: .model(settings), window: window, samples: samples)
        }

        func validate(_ check: Validation) throws(ConfigurationError) {
            try check.duration(window, "rule.window", atLeast: .milliseconds(1))
            try check.count(samples, "rule.samples", in: 1...250)
            switch kind {
            case .gradient(let settings): try settings.validate(check)
            case .aimd(let settings): try settings.validate(check)
            case .vegas(let settings): try settings.validate(check)
            case .model(let settings): try settings.validate(check)
            }
        }
    }
}

extension Validation {
    /// A number above `least`, and at most `most`.
    func share(_ value: Double, _ field: String, above least: Double, upTo most: Double) throws(ConfigurationError) {
        try require(value > least && value <= most, field, value, "above \(least) and at most \(most)")
    }
}
