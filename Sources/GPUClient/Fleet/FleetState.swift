internal import SpillwayCore

/// A fleet's books, behind one lock: a choice reads what all calls under way have written.
final class FleetState: Sendable {
    struct Found {
        let member: Member
        let cached: Int
        let predicted: Duration?
        let ticket: Ticket.ID
    }

    /// A call under way.
    struct Ticket: Sendable {
        /// Where its entry is, and a number that no other call has.
        struct ID: Sendable {
            let index: Int
            let number: UInt64
        }

        /// 0: nobody's.
        var number: UInt64 = 0
        var place = -1
        var uncached = 0
        /// Tokens of prompt and answer, as estimated.
        var held = 0
        /// Tokens that were ahead of its first token, and its own.
        var ahead = 0
        var hasFirst = false
        var began = Instant.zero
        var prefix = Prefix.unknown(tokens: 0)
        var stream: StreamID?
    }

    struct Books: Sendable {
        /// Two lists with the same places.
        var replicas: [ReplicaState] = []
        var records: [ReplicaRecord] = []
        var map = PrefixMap(replicas: 0)
        var homes = Homes()
        var tickets: [Ticket] = []
        var free: [Int] = []
        var lastNumber: UInt64 = 0
        /// Leading tokens of the prompt at hand that each replica has.
        var cached: [Int] = []
        /// Round robin, and whose turn it is among equals.
        var turn = 0
        /// Means of a call's tokens, and of those that it has to compute.
        var meanTokens = 0.0
        var meanUncached = 0.0
        /// The sums of all replicas' `took` and `done`.
        var took = 0.0
        var done = 0.0
        /// Calls under way that engines have reported, and own ones of them.
        var reported = 0.0
        var own = 0.0
    }

    let configuration: Fleet.Configuration
    private let label: GateName
    private let random: RandomSource
    private let observer: (any Observer)?
    private let books = Locked(Books())

    init(
        _ name: String, _ configuration: Fleet.Configuration, _ observer: (any Observer)?, _ random: RandomSource
    ) {
        label = GateName(registering: name)
        self.configuration = configuration
        self.observer = observer
        self.random = random
    }

    var members: [Member] { books.withLock { $0.members } }

    func place(
        _ call: Call, _ prefix: Prefix, _ session: Session?, _ avoided: [String], at now: Instant
    ) throws(Rejection) -> Found {
        let found = books.withLock { books -> Result<Found, Rejection> in
            var open = books.open(call, session, avoided, configuration, at: now)
            while !open.isEmpty {
                let place = books.choose(call, prefix, session, open, configuration, random, at: now)
                // It may have been drained since.
                let health = books.records[place].health, stream = health?.streams.begin()
                if stream != nil || health == nil {
                    return .success(books.book(call, prefix, at: place, stream, configuration.rule, at: now))
                }
                open.remove(place)
            }
            let isTooLong = books.replicas.allSatisfy { call.tokens.total > $0.window }
            return .failure(Rejection(by: label, reason: isTooLong ? .windowTooSmall : .noTarget))
        }
        return try found.get()
    }

    func firstToken(_ ticket: Ticket.ID, at now: Instant) {
        let told = books.withLock { $0.firstToken(ticket, at: now) }
        // Outside of the lock: observers are told of what changes.
        if let (health, stream) = told { health.record(.success, of: stream, at: now) }
    }

    func hung(_ ticket: Ticket.ID, at now: Instant) {
        let told = books.withLock { $0.stream(of: ticket) }
        if let (health, stream) = told { health.hung(stream, at: now) }
    }

    func end(_ ticket: Ticket.ID, _ outcome: Outcome, usage: Usage?, at now: Instant?) {
        let told = books.withLock { books in
            defer { books.end(ticket, usage: usage, at: now) }
            return books.stream(of: ticket)
        }
        guard let (health, stream) = told else { return }
        // When nobody says when, nothing is learnt, and any time will do.
        let now = now ?? .zero
        health.record(outcome, of: stream, at: now)
        health.streams.end(stream, outcome.verdict == .failure ? .lost : .finished, at: now)
    }

    func report(_ load: EngineLoad, from name: String) {
        books.withLock { books in
            guard let index = books.place(of: name) else { return }
            books.report(load, from: index)
        }
    }

    func health(of name: String) -> ReplicaHealth? {
        books.withLock { books in books.place(of: name).flatMap { books.records[$0].health } }
    }

    func update(_ members: [Member], at now: Instant) throws(ConfigurationError) {
        let check = Validation("Fleet")
        try check.count(members.count, "members", in: 1...ReplicaSet.capacity)
        for member in members { try member.validate() }
        try check.require(
            Set(members.map(\.name)).count == members.count, "members", "\(members.map(\.name))", "of different names")
        var healths: [String: ReplicaHealth] = [:]
        if let health = configuration.health {
            for member in members {
                healths[member.name] = try ReplicaHealth(
                    member.name, health, at: now, observer: observer, random: random)
            }
        }
        let made = healths
        let leaving = try books.withLock {
            books throws(ConfigurationError) in try books.update(members, made, configuration)
        }
        for health in leaving { health.drain(deadline: .distantFuture, at: now) }
    }

    func standings(at now: Instant) -> [ReplicaStanding] {
        books.withLock { books in
            books.replicas.indices.filter { !books.replicas[$0].isLeaving }.map { index in
                let replica = books.replicas[index], record = books.records[index]
                return ReplicaStanding(
                    member: record.member, phase: record.health?.phase, calls: replica.calls,
                    pendingTokens: replica.pending, heldTokens: replica.held,
                    tokensPerSecond: replica.pace > 0 ? 1e9 / replica.pace : nil,
                    knownPrefixes: books.map.count(at: index), load: record.load)
            }
        }
    }
}
