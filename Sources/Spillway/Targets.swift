public import SpillwayCore

/// A place to send a call to, with gates of its own.
public struct Target: Sendable {
    /// What the operation and the reports call the target.
    public let name: String
    let gates: [any Gate]
    /// Whether it stands for several, so that another attempt there may find one that answers.
    public let isFleet: Bool

    /// A target whose attempts also pass `gates`.
    public init(_ name: String, _ gates: any Gate...) {
        self.init(name, gates: gates)
    }

    /// A target whose attempts also pass `gates`.
    ///
    /// - Parameters:
    ///   - name: What the operation and the reports call it.
    ///   - gates: What its attempts pass beside the policy's.
    ///   - isFleet: Whether it stands for several, such as a `Fleet` that gives each attempt another replica; then one that did not
    ///     answer in time does not keep the call from being made there again, and a hedge may go there beside the attempt.
    public init(_ name: String, gates: [any Gate], isFleet: Bool = false) {
        self.name = name
        self.gates = gates
        self.isFleet = isFleet
    }
}

/// Where a policy sends its attempts.
///
/// A target that refuses is passed over at no cost; one that failed in this call is asked again only when all others
/// refuse; one that did not answer in time, or could not go on with an answer that was begun, is not asked again in this
/// call, unless it stands for several. A hedge goes to one that was not asked, or that stands for several.
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
