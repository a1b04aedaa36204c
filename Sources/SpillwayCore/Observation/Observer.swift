/// Sees what policies decide.
///
/// Every method has an empty default, so that an observer takes only what it needs.
///
/// Methods are called after the decision, outside of every lock; they may call the policy that they observe.
public protocol Observer: Sendable {
    /// A gate changed its state. Changes of one gate come in the order in which they happened.
    func changed(_ transition: Transition)
    /// A gate in shadow mode let a call pass that it would have refused.
    func wouldHaveRejected(_ rejection: Rejection)
    /// A call of a policy ended.
    func ended(_ report: CallReport)
}

extension Observer {
    /// Does nothing.
    public func changed(_ transition: Transition) {}
    /// Does nothing.
    public func wouldHaveRejected(_ rejection: Rejection) {}
    /// Does nothing.
    public func ended(_ report: CallReport) {}
}

/// A change of a gate's state.
public struct Transition: Sendable, Hashable, CustomStringConvertible {
    /// The gate's name.
    public let gate: String
    /// The state before, such as `closed`.
    public let from: String
    /// The state after, such as `open`.
    public let to: String
    /// When it changed.
    public let at: Instant

    /// A change of state.
    public init(gate: String, from: String, to: String, at: Instant) {
        self.gate = gate
        self.from = from
        self.to = to
        self.at = at
    }

    /// One line: the gate and both states.
    public var description: String { "\(gate): \(from) → \(to)" }
}
