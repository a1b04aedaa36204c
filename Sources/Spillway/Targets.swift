public import SpillwayCore

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
/// refuse; one that did not answer in time, or could not go on with an answer that was begun, is not asked again in this
/// call.
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
