public import SpillwayCore

/// Replicas of one model, and which of them a call goes to.
///
/// A call goes where its first token is predicted to come first: by the tokens that wait there, by how much of the prompt the replica
/// has computed already, by the memory that calls hold, and by the pace at which it answered. Clients of one fleet need not know of each
/// other: what they cannot know of each other's prompts they find at the same home.
///
/// A replica that refuses, or has failed three times in a row, is asked last for a second, then for two and so on up to 30 s, and until
/// it answers; one that says for how long it wants no calls gets none.
public final class Fleet: Sendable {
    /// What errors, reports and metrics call the fleet.
    public let name: String
    let state: FleetState

    /// The most replicas of a fleet.
    public static var capacity: Int { ReplicaSet.capacity }

    /// A fleet.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: How it chooses.
    ///   - members: Up to 256 replicas; with none, calls are refused until an update brings some.
    ///   - now: The time.
    ///   - observer: Told of changes of health; nobody by default.
    ///   - random: Where chance comes from.
    /// - Throws: `ConfigurationError` for too many members, bad or equal names, or a bad configuration.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), members: [Member], at now: Instant,
        observer: (any Observer)? = nil, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("Fleet").name(name)
        try configuration.validate()
        self.name = name
        state = FleetState(name, configuration, observer, random)
        if !members.isEmpty { try state.update(members, at: now) }
    }

    /// Chooses a replica for a call.
    ///
    /// - Parameters:
    ///   - call: Its tokens are what the replica must take.
    ///   - prefix: How its prompt begins; by default nothing is known of it.
    ///   - session: The conversation that it goes on with: it stays with its major version, and rather with its replica.
    ///   - versions: Which versions may take it; by default those that may go on with the session.
    ///   - avoided: Names of replicas that it must not go to, such as those where it has failed.
    ///   - now: The time.
    /// - Returns: The place, to be settled when the call has ended.
    /// - Throws: `Rejection` for want of a replica that is well (`no_target`), takes so long a prompt (`window_too_small`), has the
    ///   memory (`memory_full`), answers those that wait (`saturated`) or has not asked for a pause (`rate_limited`); nothing was taken.
    public func place(
        _ call: Call, prefix: Prefix? = nil, session: Session? = nil, versions: VersionGate? = nil,
        avoiding avoided: [String] = [], at now: Instant
    ) throws(Rejection) -> Placement {
        let prefix = prefix ?? .unknown(tokens: Int(call.tokens.input))
        let found = try state.place(
            FleetState.Ask(
                call: call, prefix: prefix, session: session, versions: versions, avoided: avoided, now: now))
        return Placement(
            member: found.member, cachedTokens: found.cached, predicted: found.predicted, state: state,
            ticket: found.ticket, hasHealth: found.hasHealth)
    }

    /// An engine has said what its load is, in a response or on its metrics page.
    ///
    /// - Parameters:
    ///   - load: What it said, and when.
    ///   - name: The replica; unknown names are ignored.
    public func report(_ load: EngineLoad, from name: String) { state.report(load, from: name) }

    /// What a replica's engine said last; nil: nobody has that name.
    package func load(of name: String) -> EngineLoad? { state.load(of: name) }

    /// The replicas that are wanted.
    public var members: [Member] { state.members }

    /// Changes which replicas are wanted.
    ///
    /// One that is wanted no more gets no new call, and is forgotten when its last has ended; with health checks it is drained, until
    /// ``Configuration/leaveLimit``. One that stays keeps what is known of it.
    ///
    /// One that comes back before it is forgotten, with the same address, model and version, is the one that it was: its calls are its own
    /// still, and it stays drained if a person had drained it. Where so many that leave have calls that there is no place for some of
    /// the new ones, those are left out: update again.
    ///
    /// There must be one: a list that was cut off must not take the whole fleet away.
    ///
    /// - Throws: `ConfigurationError`; then all stays as it was.
    public func update(_ members: [Member], at now: Instant) throws(ConfigurationError) {
        try state.update(members, at: now)
    }

    /// How it chooses.
    public var configuration: Configuration { state.configuration }

    /// Changes how it chooses, and keeps all that is known.
    ///
    /// - Throws: `ConfigurationError` for a bad configuration, and for one with health checks in place of one without, or the
    ///   other way round; then the old one stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        try state.update(configuration)
    }

    /// Tells calls that are to go on elsewhere: those of a replica that is drained beyond its deadline; and of one that is dead, or that
    /// hung and has made no token for two probes since while most others are well, those whose first token has not come.
    ///
    /// To be called every now and then where there are health checks. Each is told once, as ``Placement/whenHandedOver(_:)`` has it, and
    /// counts as handed over in the drain's report when it has gone: one that stays, for it cannot go on, finishes or is lost.
    ///
    /// - Returns: How many were told.
    @discardableResult
    public func handOver(at now: Instant) -> Int { state.handOver(at: now) }

    /// Whether calls are with a replica that is not ready, and so may be handed over soon.
    package var isInTrouble: Bool { state.isInTrouble }

    /// Replicas that have had no call for a while, beyond those that may idle: what may be taken away, dearest first.
    ///
    /// A cap on GPUs that idle; drain before you take one away. A replica that is new counts as used when it came, and one that starts
    /// is none. It knows the calls of this fleet, and of others' what the engine said last: ask where all calls come through.
    ///
    /// - Parameters:
    ///   - span: For how long they have had no call.
    ///   - kept: How many that are ready may idle, the cheapest of them; 0 by default.
    ///   - now: The time.
    public func idle(for span: Duration, keeping kept: Int = 0, at now: Instant) -> [Member] {
        state.idle(for: span, keeping: kept, at: now)
    }

    /// A replica's health, to be told of probes; nil without health checks, or where nobody has that name.
    public func health(of name: String) -> ReplicaHealth? { state.health(of: name) }

    /// What is known of each replica now, for pages and metrics.
    public func standings(at now: Instant) -> [ReplicaStanding] { state.standings(at: now) { !$0.isLeaving } }

    /// The same of those that are wanted no more and have calls yet; their names may be those of new ones.
    public func leaving(at now: Instant) -> [ReplicaStanding] {
        state.standings(at: now) { $0.isLeaving && $0.calls > 0 }
    }
}

extension Fleet: Gate {
    /// Lets a call pass for which there is a replica now, before an attempt is made of it; nothing is taken.
    ///
    /// A target of a policy that is a fleet has it for a gate, so that a ladder passes it over as long as nobody there could answer.
    ///
    /// - Throws: `Rejection` as ``place(_:prefix:session:versions:avoiding:at:)`` does.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try state.check(FleetState.Ask(call: call, prefix: .unknown(tokens: Int(call.tokens.input)), now: now))
        return Permit(at: now) { _, _ in }
    }
}
