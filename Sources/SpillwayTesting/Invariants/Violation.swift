/// A promise of the policies that was not kept, as an ``Audit`` found it.
public struct Violation: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which promise.
    public enum Invariant: String, Sendable, CaseIterable {
        /// Retries stay within the budget: attempts ≤ calls × (1 + ratio) + burst + floor × seconds.
        case attempts
        /// Every permit is settled exactly once.
        case permits
        /// A bucket lets pass at most burst + rate × span, over any span.
        case rate
        /// A gate goes from state to state only as its rules allow.
        case transitions
        /// No call outlives its deadline by more than the stated grace.
        case deadline
    }

    /// Which promise.
    public let invariant: Invariant
    /// What was found, and what would have been right.
    public let detail: String

    /// A broken promise.
    public init(_ invariant: Invariant, _ detail: String) {
        self.invariant = invariant
        self.detail = detail
    }

    /// One line: the promise and what was found.
    public var description: String { "\(invariant): \(detail)" }
}
