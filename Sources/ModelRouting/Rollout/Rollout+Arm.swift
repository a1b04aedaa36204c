internal import CSpillway
public import SpillwayCore

extension Rollout {
    /// Which of the two a call gets: `.baseline` or `.canary`.
    ///
    /// Compare it with either. One that a rollout gave remembers when: what is recorded with it counts only while that share
    /// is still in force, so that a call that was under way during a rollback or a change of the share never counts in what
    /// comes after.
    public struct Arm: Sendable, Hashable, CustomStringConvertible {
        let bits: UInt64

        /// What has served so far.
        public static let baseline = Arm(bits: 0)
        /// What is new.
        public static let canary = Arm(bits: UInt64(SPW_ROLLOUT_CANARY))

        /// Whether it is the new one.
        public var isCanary: Bool { bits & UInt64(SPW_ROLLOUT_CANARY) != 0 }
        /// Whether the call got it because its key is in the list of those that always do; then it counts for nothing.
        public var isListed: Bool { bits & UInt64(SPW_ROLLOUT_LISTED) != 0 }

        /// 0 for one that no rollout gave.
        var life: UInt64 { bits >> UInt64(SPW_ROLLOUT_LIFE_SHIFT) }

        /// Whether both are the same of the two, whenever they were given.
        public static func == (left: Arm, right: Arm) -> Bool { left.isCanary == right.isCanary }

        /// As equality: by which of the two it is.
        public func hash(into hasher: inout Hasher) { hasher.combine(isCanary) }

        /// `baseline` or `canary`, as a metric label.
        public var description: String { isCanary ? "canary" : "baseline" }
    }

    /// How one call went, as much of it as is known.
    public struct Sample: Sendable, Hashable {
        /// How it ended; a neutral outcome says nothing, and so does nil.
        public var outcome: Outcome?
        /// The time from the call's begin to its first content; nil: unknown, or none came.
        public var firstContent: Duration?
        /// Nano-dollars.
        public var cost: Int64?
        /// How good the answer was, from 0 to 1, as somebody judged it.
        public var quality: Double?

        /// How one call went.
        ///
        /// Values that cannot be (a time or a cost below 0, a quality that is not from 0 to 1) are left aside.
        public init(
            _ outcome: Outcome? = nil, firstContent: Duration? = nil, cost: Int64? = nil, quality: Double? = nil
        ) {
            self.outcome = outcome
            self.firstContent = firstContent
            self.cost = cost
            self.quality = quality
        }

        /// The number to compare; nil when there is none, or none that can be.
        func value(_ metric: Metric) -> Double? {
            switch metric {
            case .errors:
                return outcome.flatMap { $0.verdict == .neutral ? nil : $0.verdict == .failure ? 1 : 0 }
            case .firstContent:
                guard let nanoseconds = firstContent?.clampedNanoseconds, nanoseconds >= 0 else { return nil }
                return Double(nanoseconds) / 1e9
            case .cost:
                guard let cost, cost >= 0 else { return nil }
                return Double(cost)
            case .quality:
                guard let quality, quality >= 0, quality <= 1 else { return nil }
                return quality
            }
        }
    }

    /// What both are compared by.
    public enum Metric: Int, Sendable, Hashable, CaseIterable, CustomStringConvertible {
        /// The share of calls that fail.
        case errors
        /// The time to the first content (TTFT).
        case firstContent
        /// What a call costs.
        case cost
        /// How good answers are.
        case quality

        /// The metric as a label, such as `first_content`.
        public var description: String {
            switch self {
            case .errors: "errors"
            case .firstContent: "first_content"
            case .cost: "cost"
            case .quality: "quality"
            }
        }
    }
}
