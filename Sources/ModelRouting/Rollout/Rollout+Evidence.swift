public import SpillwayCore

extension Rollout {
    /// What a rollout is doing.
    public enum State: Sendable, Hashable, CustomStringConvertible {
        /// Both serve, and are compared.
        case running
        /// All calls get the baseline; with the evidence, or nil when it was done by hand.
        case rolledBack(Evidence?)
        /// All calls get the new one.
        case promoted

        /// The state as a label, such as `rolled_back`.
        public var description: String {
            switch self {
            case .running: "running"
            case .rolledBack: "rolled_back"
            case .promoted: "promoted"
            }
        }
    }

    /// What was recorded of one arm by one metric.
    public struct Figures: Sendable, Hashable {
        /// Calls that had a value.
        public private(set) var count = 0
        /// Their mean: the share that failed, seconds to the first content, nano-dollars, or quality; 0 when there are none.
        public private(set) var mean = 0.0

        mutating func add(_ value: Double) {
            count += 1
            mean += (value - mean) / Double(count)
        }
    }

    /// How both arms compare by one metric.
    public struct Evidence: Sendable, Hashable, CustomStringConvertible {
        /// The metric.
        public let metric: Metric
        /// What was recorded of the baseline while both were compared.
        public let baseline: Figures
        /// What was recorded of the new one.
        public let canary: Figures
        /// Rounds of comparison: about one for each call of the rarer of both.
        public let rounds: Int
        /// By how much the new one was worse in the mean of the rounds.
        ///
        /// Of errors and quality a difference. Of first content and cost, by how much more often it was worse than better
        /// after its tolerance was taken off, from -1 to 1: their means say little, because a few calls make most of them.
        public let excess: Double
        /// The evidence that it is worse by more than its tolerance: ``threshold`` or more rolls it back.
        ///
        /// While it is not, it is n or more at any time at all with a probability of at most 1/n.
        public let eValue: Double
        /// What it takes to roll back.
        public let threshold: Double
        /// The share that the new one had.
        public let share: Double
        /// When.
        public let at: Instant

        /// An upper bound on the p-value, valid at any time: 1 ÷ the e-value, at most 1.
        public var pValue: Double { min(1, 1 / eValue) }

        /// One line for a log.
        public var description: String {
            "\(metric): canary \(canary.mean) in \(canary.count) calls, baseline \(baseline.mean) in \(baseline.count), "
                + "e-value \(eValue) of \(threshold)"
        }
    }

    /// One thing that was decided, by the rollout or by hand.
    public struct Decision: Sendable, Hashable {
        /// What was decided.
        public enum Kind: String, Sendable, Hashable {
            /// All calls get the baseline from now on.
            case rollBack = "roll_back"
            /// They would, were it not in shadow mode.
            case wouldRollBack = "would_roll_back"
            /// The next step of the ramp.
            case step
            /// All calls get the new one from now on.
            case promote
            /// A new life.
            case reset
        }

        /// What was decided.
        public let kind: Kind
        /// Why; nil when it was done by hand, or needs no reason.
        public let evidence: Evidence?
        /// The share that the new one has from now on.
        public let share: Double
        /// When.
        public let at: Instant
    }
}
