public import SpillwayCore

extension CircuitBreaker {
    /// When a breaker opens, for how long, and how it closes again.
    ///
    /// Every field has a default.
    public struct Configuration: Sendable, Hashable {
        /// What is looked at to tell whether the target is sick; the last 25 calls by default.
        public var window: Window = .calls(25)
        /// The share of failures at which the breaker opens, above 0 and at most 1; 0.4 by default.
        ///
        /// Not used by ``Window/consecutive(_:)``.
        public var failureRatio = 0.4
        /// Calls that must be in the window before its share is judged; 10 by default.
        ///
        /// Not used by ``Window/consecutive(_:)``.
        public var minimumCalls = 10
        /// Which successes count as failures because they came too slowly; those reported as slow by default.
        public var slow: Slow = .reported
        /// When calls that have not come back open the breaker; nil, the default: never.
        public var stuck: Stuck?
        /// How long it stays open the first time; 10 s by default.
        public var openDuration: Duration = .seconds(10)
        /// By what the time grows each time that it opens again without having stayed closed for the longest open time, from
        /// 1 to 100; 2 by default.
        public var openGrowth = 2.0
        /// The longest that it stays open, before jitter; 5 minutes by default.
        public var maximumOpenDuration: Duration = .seconds(300)
        /// By what share an open time may be longer, at random, so that many breakers do not probe at once; from 0 to 1,
        /// 0.1 by default.
        public var openJitter = 0.1
        /// How many calls may probe while half-open, and how many results decide; 3 by default.
        public var probes = 3
        /// The share of probes that must succeed to close, above 0 and at most 1; 0.6 by default.
        public var probeSuccessRatio = 0.6
        /// How long a probe may take; then its place is free and it counts as failed.
        ///
        /// 60 s by default.
        public var probeLease: Duration = .seconds(60)
        /// How long traffic is let back in little by little after closing; 5 s by default, zero for all at once.
        public var ramp: Duration = .seconds(5)
        /// The share of calls that is let in at the start of the ramp, above 0 and at most 1; 0.1 by default.
        public var rampFrom = 0.1
        /// Whether refusals are real or only reported; enforcing by default.
        public var mode: Mode = .enforcing

        /// The defaults.
        public init() {}

        /// The defaults, with what `change` sets.
        public init(_ change: (inout Configuration) -> Void) {
            change(&self)
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("CircuitBreaker")
            switch window.kind {
            case .calls(let size): try check.count(size, "window.calls", in: 1...1_000_000)
            case .time(let span, let slices):
                try check.duration(span, "window.time", atLeast: .milliseconds(1))
                try check.count(slices, "window.slices", in: 1...10_000)
            case .consecutive(let count): try check.count(count, "window.consecutive", in: 1...1_000_000)
            }
            try check.require(
                failureRatio > 0 && failureRatio <= 1, "failureRatio", failureRatio, "above 0 and at most 1")
            try check.count(minimumCalls, "minimumCalls", in: 1...1_000_000)
            if case .calls(let size) = window.kind {
                try check.require(
                    minimumCalls <= size, "minimumCalls", minimumCalls, "at most the window's \(size) calls")
            }
            if case .longerThan(let limit) = slow { try check.duration(limit, "slow", atLeast: .milliseconds(1)) }
            if let stuck {
                try check.duration(stuck.olderThan, "stuck.olderThan", atLeast: .milliseconds(1))
                try check.count(stuck.calls, "stuck.calls", in: 1...1_000_000)
                try check.number(stuck.share, "stuck.share", in: 0...1)
            }
            try check.duration(openDuration, "openDuration", atLeast: .milliseconds(1))
            try check.number(openGrowth, "openGrowth", in: 1...100)
            try check.duration(maximumOpenDuration, "maximumOpenDuration", atLeast: openDuration)
            try check.number(openJitter, "openJitter", in: 0...1)
            try check.count(probes, "probes", in: 1...10_000)
            try check.require(
                probeSuccessRatio > 0 && probeSuccessRatio <= 1, "probeSuccessRatio", probeSuccessRatio,
                "above 0 and at most 1")
            try check.duration(probeLease, "probeLease", atLeast: .milliseconds(1))
            try check.duration(ramp, "ramp")
            try check.require(rampFrom > 0 && rampFrom <= 1, "rampFrom", rampFrom, "above 0 and at most 1")
        }
    }

    /// The calls whose outcomes a breaker looks at.
    public struct Window: Sendable, Hashable {
        package enum Kind: Hashable {
            case calls(Int)
            case time(Duration, slices: Int)
            case consecutive(Int)
        }

        package let kind: Kind

        /// The last `count` calls, 1 to 1,000,000.
        ///
        /// Up to 56 take one word and no lock.
        public static func calls(_ count: Int) -> Window { Window(kind: .calls(count)) }

        /// All calls of the last `span`, at least 1 ms, which moves on by a slice at a time; 10 slices by default.
        public static func time(_ span: Duration, slices: Int = 10) -> Window {
            Window(kind: .time(span, slices: slices))
        }

        /// Opens after `count` failures with no success between them.
        public static func consecutive(_ count: Int) -> Window { Window(kind: .consecutive(count)) }
    }

    /// Whether a breaker refuses calls.
    public enum Mode: Sendable {
        /// It refuses.
        case enforcing
        /// It decides and reports, but lets every call pass.
        case shadow
    }

    /// What a breaker is doing.
    public enum State: String, Sendable {
        /// Calls pass and are counted.
        case closed
        /// Calls are refused.
        case open
        /// A few calls pass as probes.
        case halfOpen = "half_open"
        /// Calls are refused until somebody says otherwise.
        case isolated
        /// Calls pass and are not counted.
        case disabled
    }
}
