internal import SpillwayCore

extension CircuitBreaker {
    /// Which successes count as failures because they came too slowly.
    ///
    /// There is one share for failed and slow calls together (``Configuration/failureRatio``), because the breaker answers
    /// one question, whether callers are better off without the target: one that fails a quarter of its calls and is of no
    /// use for another quarter is as bad as one that fails half. So set the time at which an answer is of no use any more.
    public enum Slow: Sendable, Hashable {
        /// None: every success is one.
        case ignored
        /// Those that were settled as `Outcome.slow`, as by who saw that the first token came late.
        case reported
        /// Those, and those that took longer than this from admission to settling.
        case longerThan(Duration)

        var nanoseconds: Int64 {
            switch self {
            case .ignored: -1
            case .reported: .max
            case .longerThan(let limit): limit.clampedNanoseconds
            }
        }
    }

    /// When calls that have not come back speak against the target.
    ///
    /// A target that hangs fails no call until callers give up, and when they cancel, none at all. A breaker that watches
    /// the age of calls under way opens when the next call asks for admission. Calls are counted by slices of a seventh
    /// of ``olderThan``, so a call is found stuck when it is that old, or up to a seventh older. Only calls count that
    /// were admitted while closed and since the breaker last changed its state, and probes never: they have a lease.
    public struct Stuck: Sendable, Hashable {
        /// The age from which a call is stuck, at least 1 ms.
        ///
        /// Set it above what the longest healthy call takes.
        public var olderThan: Duration
        /// How many must be stuck before the breaker opens; 3 by default.
        public var calls: Int
        /// What share of the calls under way must be stuck as well, from 0 to 1; 0.1 by default.
        ///
        /// So that a few long calls do not shut out a target that serves hundreds.
        public var share: Double

        /// The age of a stuck call, and how many of them are too many.
        public init(olderThan: Duration, calls: Int = 3, share: Double = 0.1) {
            self.olderThan = olderThan
            self.calls = calls
            self.share = share
        }
    }
}
