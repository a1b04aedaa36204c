internal import SpillwayCore

/// A fleet's books, behind one lock: a choice reads what all calls under way have written.
final class FleetState: Sendable {
    struct Found {
        let member: Member
        let cached: Int
        let predicted: Duration?
        let ticket: Ticket.ID
        let hasHealth: Bool
    }

    /// A call that wants a place.
    struct Ask {
        let call: Call
        let prefix: Prefix
        var session: Session?
        var versions: VersionGate?
        var avoided: [String] = []
        let now: Instant

        /// Tokens of prompt and answer, as estimated.
        var held: Int { prefix.tokens + Int(call.tokens.maxOutput) }
        /// The same as the call has it, if that is more.
        var tokens: Int { max(Int(call.tokens.total), held) }
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
        /// Leading hashes of its prompt that the replica was sent before.
        var matched = 0
        /// What it counts for among the tokens that have yet to be computed there.
        var pending = 0
        /// Tokens of prompt and answer, as estimated.
        var held = 0
        /// Tokens that were ahead of its first token, and its own.
        var ahead = 0
        /// When its first token came; nil: it has not.
        var firstToken: Instant?
        /// Its neighbours among those of its replica that wait for theirs; −1: none.
        var older = -1
        var newer = -1
        /// Whether its first token is told, when it comes.
        var streams = false
        var began = Instant.zero
        var prefix = Prefix.unknown(tokens: 0)
        var stream: StreamID?
        /// Tells the call that it is to go on elsewhere; nil: nobody wants to know, or it was told.
        var leave: (@Sendable () -> Void)?
        /// Whether it may be made again.
        var mayRepeat = false
        /// Whether it was told so.
        var isHandedOver = false

        /// Tokens of its prompt that the replica was sent before.
        var predictedHit: Int { max(0, min(matched * prefix.tokensPerHash, prefix.tokens - 1)) }
    }

    struct Books: Sendable {
        var configuration: Fleet.Configuration
        /// Two lists with the same places.
        var replicas: [ReplicaState] = []
        var records: [ReplicaRecord] = []
        /// Those that are wanted, and the smallest context window among them.
        var wanted = ReplicaSet()
        var leastWindow = Int.max
        /// Until when some replica cools down.
        var coolUntil = Instant.zero
        /// Zones by number.
        var zones: [Zone] = []
        var map = PrefixMap(replicas: 0)
        var homes = Homes()
        var tickets: [Ticket] = []
        var free: [Int] = []
        var lastNumber: UInt64 = 0
        /// Leading hashes of the prompt at hand that each replica was sent, and leading tokens that it is thought to have.
        var matched: [Int] = []
        var cached: [Int] = []
        /// Round robin, and whose turn it is among equals.
        var turn = 0
        /// Means of a call's tokens, and of those that it has to compute.
        var meanTokens = 0.0
        var meanUncached = 0.0
        /// The sums of all replicas' `took` and `done`.
        var took = 0.0
        var done = 0.0
        /// When what is known of paces faded last.
        var pacedAt = Instant.zero
        /// Whether answers that came as a whole have taught the time of all their tokens.
        var hasLearntWholes = false
        /// The share of the time of a whole answer until its first token, as far as is known.
        var firstShare = 1.0
        /// Nanoseconds for a token of an answer after its first; 0: nobody has seen one.
        var tokenPace = 0.0
        /// Calls under way that engines have reported, and own ones of them.
        var reported = 0.0
        var own = 0.0
    }

    private let label: GateName
    private let random: RandomSource
    private let observer: (any Observer)?
    let books: Locked<Books>
    /// Held while members or the configuration are changed, which takes more than one step.
    private let updating = Locked(())

    init(
        _ name: String, _ configuration: Fleet.Configuration, _ observer: (any Observer)?, _ random: RandomSource
    ) {
        label = GateName(registering: name)
        books = Locked(Books(configuration: configuration))
        self.observer = observer
        self.random = random
    }

    var members: [Member] { books.withLock { $0.members } }
    var configuration: Fleet.Configuration { books.withLock { $0.configuration } }

    /// Refuses a call that no replica could take; takes nothing.
    func check(_ ask: Ask) throws(Rejection) {
        let open = books.withLock { $0.open(ask) }
        if open.replicas.isEmpty { throw rejection(open, at: ask.now) }
    }

    func place(_ ask: Ask) throws(Rejection) -> Found {
        let found = books.withLock { books -> Result<Found, Rejection> in
            var open = books.open(ask)
            while !open.replicas.isEmpty {
                let place = books.choose(ask, open.replicas, random)
                // It may have been drained since.
                let health = books.records[place].health, stream = health?.streams.begin()
                if stream != nil || health == nil { return .success(books.book(ask, at: place, stream)) }
                open.replicas.remove(place)
                open.reason = .noTarget
            }
            return .failure(rejection(open, at: ask.now))
        }
        return try found.get()
    }

    private func rejection(_ open: Books.Open, at now: Instant) -> Rejection {
        Rejection(by: label, reason: open.reason, retryAfter: open.until.map { now.duration(to: $0) })
    }

    func firstToken(_ ticket: Ticket.ID, at now: Instant) {
        let told = books.withLock { $0.firstToken(ticket, at: now) }
        // Outside of the lock: observers are told of what changes.
        if let (health, stream) = told { health.firstContent(of: stream, at: now) }
    }

    func hung(_ ticket: Ticket.ID, at now: Instant) {
        let told = books.withLock { $0.hung(ticket, at: now) }
        if let (health, stream) = told { health.hung(stream, at: now) }
    }

    func end(_ ticket: Ticket.ID, _ outcome: Outcome, usage: Usage?, at now: Instant?) {
        // What the entry holds of the caller's goes with it, after the lock.
        let (told, entry) = books.withLock { books in
            let told = books.stream(of: ticket), entry = books.tickets[ticket.index]
            books.end(ticket, outcome, usage: usage, at: now)
            return (told, entry)
        }
        guard let (health, stream) = told else { return }
        // When nobody says when, nothing is learnt.
        let now = now ?? entry.began
        health.record(outcome, of: stream, at: now)
        // One that was told and could not go on elsewhere is lost when it fails here.
        let isHandedOver = entry.isHandedOver && outcome.verdict == .neutral
        let isLost = outcome.verdict == .failure
        health.streams.end(stream, isHandedOver ? .handedOver : isLost ? .lost : .finished, at: now)
    }

    func report(_ load: EngineLoad, from name: String) {
        books.withLock { books in
            guard let index = books.place(of: name) else { return }
            books.report(load, from: index)
        }
    }

    func load(of name: String) -> EngineLoad? {
        books.withLock { books in books.place(of: name).map { books.records[$0].load } }
    }

    func health(of name: String) -> ReplicaHealth? {
        books.withLock { books in books.place(of: name).flatMap { books.records[$0].health } }
    }

    func update(_ members: [Member], at now: Instant) throws(ConfigurationError) {
        let moves = try updating.withLock { _ throws(ConfigurationError) in try replace(members, at: now) }
        // Outside of the lock: observers are told of what changes.
        let deadline = now.advanced(by: configuration.leaveLimit)
        for (health, wasDrained) in moves.leaving {
            let own = wasDrained ? health.streams.drainReport?.deadline : nil
            health.drain(deadline: min(deadline, own ?? deadline), at: now)
            // Another update may have brought it back meanwhile.
            if !wasDrained, isWanted(health) { health.undrain(at: now) }
        }
        for health in moves.back { health.undrain(at: now) }
    }

    private func isWanted(_ health: ReplicaHealth) -> Bool {
        books.withLock { books in
            books.replicas.indices.contains { !books.replicas[$0].isLeaving && books.records[$0].health === health }
        }
    }

    private func replace(_ members: [Member], at now: Instant) throws(ConfigurationError) -> Books.Moves {
        let check = Validation("Fleet")
        try check.count(members.count, "members", in: 1...ReplicaSet.capacity)
        for member in members { try member.validate() }
        try check.require(
            Set(members.map(\.name)).count == members.count, "members", "\(members.map(\.name))", "of different names")
        var healths: [String: ReplicaHealth] = [:]
        if let health = configuration.health {
            let known = Set(self.members)
            for member in members where !known.contains(member) {
                healths[member.name] = try ReplicaHealth(
                    member.name, health, at: now, observer: observer, random: random)
            }
        }
        let made = healths
        return try books.withLock {
            books throws(ConfigurationError) in try books.update(members, made, at: now)
        }
    }

    func update(_ configuration: Fleet.Configuration) throws(ConfigurationError) {
        try updating.withLock { _ throws(ConfigurationError) in try replace(configuration) }
    }

    private func replace(_ configuration: Fleet.Configuration) throws(ConfigurationError) {
        let healths = try books.withLock { books throws(ConfigurationError) -> [ReplicaHealth] in
            try Validation("Fleet").require(
                (configuration.health == nil) == (books.configuration.health == nil), "health",
                configuration.health == nil ? "nil" : "set", "as it was: health checks neither begin nor end")
            books.update(configuration)
            return books.records.compactMap(\.health)
        }
        // It was found valid.
        if let health = configuration.health { for own in healths { try own.update(health) } }
    }

    func idle(for span: Duration, keeping kept: Int, at now: Instant) -> [Member] {
        books.withLock { books in
            let idle = books.replicas.indices.filter { place in
                let replica = books.replicas[place]
                return !replica.isLeaving && replica.calls == 0 && replica.lastUsed.duration(to: now) >= span
                    && replica.phase != .starting && !books.hasOthers(place, at: now)
            }
            let dearest = idle.sorted { books.replicas[$0].cost > books.replicas[$1].cost }
            // Who does not serve is nothing to keep for want of calls.
            let stays = Set(dearest.filter { books.replicas[$0].phase == .ready }.suffix(max(0, kept)))
            return dearest.filter { !stays.contains($0) }.map { books.records[$0].member }
        }
    }

    /// Whether calls are with a replica that is not ready.
    var isInTrouble: Bool {
        books.withLock { $0.replicas.contains { $0.calls > 0 && $0.phase != .ready } }
    }

    func standings(at now: Instant, of wanted: (ReplicaState) -> Bool) -> [ReplicaStanding] {
        books.withLock { books in
            books.replicas.indices.filter { wanted(books.replicas[$0]) }.map { index in
                let replica = books.replicas[index], record = books.records[index]
                return ReplicaStanding(
                    member: record.member, phase: record.health?.phase, calls: replica.calls,
                    waiting: replica.waiting, oldestWait: max(.zero, books.queueAge(replica, at: now)),
                    pendingTokens: replica.pending, heldTokens: replica.held,
                    tokensPerSecond: replica.took > 0 ? 1e9 * replica.done / replica.took : nil,
                    answerTokensPerSecond: replica.tokenPace > 0 ? 1e9 / replica.tokenPace : nil,
                    knownPrefixes: books.map.count(at: index), load: record.load,
                    drain: record.health?.streams.drainReport)
            }
        }
    }
}
