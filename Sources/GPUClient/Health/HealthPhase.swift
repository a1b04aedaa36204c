public import SpillwayCore

/// What a replica may be used for.
public enum HealthPhase: String, Sendable, Hashable, CaseIterable {
    /// It has not yet made a token since it began or came back; it gets no calls.
    case starting
    /// It gets calls, at first few of them (``ReplicaHealth/share(at:)``).
    case ready
    /// It answers, but should get no calls until a probe finds it well; what runs there goes on.
    case degraded
    /// It gets no new calls, and what runs there may end.
    case draining
    /// It does not answer: what runs there is lost or must be handed over.
    case dead

    var code: UInt64 {
        switch self {
        case .starting: 0
        case .ready: 1
        case .degraded: 2
        case .draining: 3
        case .dead: 4
        }
    }

    init(code: UInt64) {
        switch code {
        case 0: self = .starting
        case 1: self = .ready
        case 2: self = .degraded
        case 3: self = .draining
        default: self = .dead
        }
    }
}

/// Why a replica is in its phase.
public enum HealthReason: String, Sendable, Hashable, CaseIterable {
    /// It is new.
    case began
    /// So many calls in a row failed.
    case failures
    /// A call or a probe had no first content in time.
    case hung
    /// So many probes in a row got no token.
    case notReady = "not_ready"
    /// Its KV cache is fuller than the danger line.
    case memory
    /// So many probes in a row found nobody.
    case unreachable
    /// It did not come up in the time that a start may take.
    case startLimit = "start_limit"
    /// A device or an operator forbids it.
    case veto
    /// An operator said so.
    case byHand = "by_hand"
    /// A probe found somebody again.
    case alive
    /// As many probes in a row as were asked for made a token.
    case probed
}

/// A change of a replica's phase.
public struct HealthChange: Sendable, Hashable, CustomStringConvertible {
    /// The replica's name.
    public let replica: String
    /// The phase before.
    public let from: HealthPhase
    /// The phase after.
    public let to: HealthPhase
    /// Why.
    public let reason: HealthReason
    /// When.
    public let at: Instant

    /// One line: the replica, both phases and the reason.
    public var description: String { "\(replica): \(from.rawValue) → \(to.rawValue) (\(reason.rawValue))" }
}

/// What keeps a replica out of use until it is lifted, however well its probes go.
public struct HealthVeto: Sendable, Hashable, CustomStringConvertible {
    /// Who says so; each has one veto at a time.
    public enum Source: String, Sendable, Hashable, CaseIterable {
        /// The GPU, by what its driver reports.
        case device
        /// A person, or a program that acts for one.
        case byHand = "by_hand"
    }

    /// Who says so.
    public let source: Source
    /// Why, for people; the first 200 characters are kept.
    public let reason: String

    /// A veto.
    public init(_ source: Source, _ reason: String) {
        self.source = source
        self.reason = String(reason.prefix(200))
    }

    /// The driver reported an XID error, such as 79: the GPU has fallen off the bus.
    public static func xid(_ number: Int) -> HealthVeto { HealthVeto(.device, "xid \(number)") }

    /// A row of the GPU's memory could not be remapped, or waits for a reset to be.
    public static var rowRemap: HealthVeto { HealthVeto(.device, "row remap") }

    /// A person says so.
    public static func byHand(_ reason: String) -> HealthVeto { HealthVeto(.byHand, reason) }

    /// Who and why.
    public var description: String { "\(source.rawValue): \(reason)" }
}
