public import Admission
public import Hedging
public import ModelRouting
public import Retrying
public import SpillwayCore

/// Collects the parts of a policy, outermost first.
@resultBuilder
public enum PolicyBuilder {
    /// One part of a policy.
    public struct Part: Sendable {
        enum Kind: Sendable {
            case deadline(Deadline)
            case retry(Retry)
            case hedge(Hedge)
            case gates(Gates)
            case targets(Targets)
            case router(ModelRouter)
            case timeout(AttemptTimeout)
            case slow(SlowAnswer)
            case queue(FairQueue)
        }

        let kind: Kind
    }

    /// A bound on the time of the whole call.
    public static func buildExpression(_ deadline: Deadline) -> [Part] { [Part(kind: .deadline(deadline))] }
    /// More attempts.
    public static func buildExpression(_ retry: Retry) -> [Part] { [Part(kind: .retry(retry))] }
    /// Attempts beside one that takes long.
    public static func buildExpression(_ hedge: Hedge) -> [Part] { [Part(kind: .hedge(hedge))] }
    /// A line in which attempts wait for the gates and targets inside of it.
    public static func buildExpression(_ queue: FairQueue) -> [Part] { [Part(kind: .queue(queue))] }
    /// Gates for every attempt.
    public static func buildExpression(_ gates: Gates) -> [Part] { [Part(kind: .gates(gates))] }
    /// One gate for every attempt.
    public static func buildExpression(_ gate: any Gate) -> [Part] { [Part(kind: .gates(Gates(gate)))] }
    /// A choice of targets for every attempt.
    public static func buildExpression(_ targets: Targets) -> [Part] { [Part(kind: .targets(targets))] }
    /// A ladder of tiers for every attempt, in place of targets.
    public static func buildExpression(_ router: ModelRouter) -> [Part] { [Part(kind: .router(router))] }
    /// Limits on the time of every attempt.
    public static func buildExpression(_ timeout: AttemptTimeout) -> [Part] { [Part(kind: .timeout(timeout))] }
    /// What gates are told of as slow.
    public static func buildExpression(_ slow: SlowAnswer) -> [Part] { [Part(kind: .slow(slow))] }
    /// Parts in text order.
    public static func buildBlock(_ parts: [Part]...) -> [Part] { parts.flatMap { $0 } }
    /// Parts under a condition.
    public static func buildOptional(_ parts: [Part]?) -> [Part] { parts ?? [] }
    /// Parts of the first branch.
    public static func buildEither(first parts: [Part]) -> [Part] { parts }
    /// Parts of the second branch.
    public static func buildEither(second parts: [Part]) -> [Part] { parts }
    /// Parts of a loop.
    public static func buildArray(_ parts: [[Part]]) -> [Part] { parts.flatMap { $0 } }
}
