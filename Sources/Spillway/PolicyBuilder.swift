public import Retrying
public import SpillwayCore

/// Gates that every attempt of a policy passes: all of them, or none and nothing is taken.
public struct Gates: Sendable {
    let gates: [any Gate]

    /// Gates in the order in which they are asked; put the one that is likeliest to refuse first.
    public init(_ gates: any Gate...) {
        self.gates = gates
    }

    /// Gates in the order in which they are asked.
    public init(_ gates: [any Gate]) {
        self.gates = gates
    }
}

/// A place to send a call to, with gates of its own.
public struct Target: Sendable {
    /// What the operation and the reports call the target.
    public let name: String
    let gates: [any Gate]

    /// A target whose attempts also pass `gates`.
    public init(_ name: String, _ gates: any Gate...) {
        self.init(name, gates: gates)
    }

    /// A target whose attempts also pass `gates`.
    public init(_ name: String, gates: [any Gate]) {
        self.name = name
        self.gates = gates
    }
}

/// Where a policy sends its attempts.
///
/// A target that refuses is passed over at no cost; one that failed in this call is asked again only when all others
/// refuse.
public struct Targets: Sendable {
    /// Which target comes first.
    public enum Order: Sendable {
        /// The first one that admits, as in a ladder from best to worst.
        case ladder
        /// Each call begins with the next one.
        case rotating
    }

    let targets: [Target]
    let order: Order

    /// Targets, asked in `order`.
    public init(_ order: Order = .ladder, _ targets: [Target]) {
        self.order = order
        self.targets = targets
    }
}

/// Collects the parts of a policy, outermost first.
@resultBuilder
public enum PolicyBuilder {
    /// One part of a policy.
    public struct Part: Sendable {
        enum Kind: Sendable {
            case deadline(Deadline)
            case retry(Retry)
            case gates(Gates)
            case targets(Targets)
        }

        let kind: Kind
    }

    /// A bound on the time of the whole call.
    public static func buildExpression(_ deadline: Deadline) -> [Part] { [Part(kind: .deadline(deadline))] }
    /// More attempts.
    public static func buildExpression(_ retry: Retry) -> [Part] { [Part(kind: .retry(retry))] }
    /// Gates for every attempt.
    public static func buildExpression(_ gates: Gates) -> [Part] { [Part(kind: .gates(gates))] }
    /// One gate for every attempt.
    public static func buildExpression(_ gate: any Gate) -> [Part] { [Part(kind: .gates(Gates(gate)))] }
    /// A choice of targets for every attempt.
    public static func buildExpression(_ targets: Targets) -> [Part] { [Part(kind: .targets(targets))] }
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
