internal import CSpillway
internal import SpillwayCore

/// What a choice reads of one replica: numbers only, so that looking at hundreds of them retains nothing.
struct ReplicaState: Sendable {
    /// It is wanted no more.
    var isLeaving = false
    /// The number of its zone among those that are known; −1: it is in none.
    var zone = -1
    /// Nanoseconds that it costs to be in another zone or region than the one that asks.
    var farther = 0.0

    /// Own calls under way, and those of them whose first token has not come.
    var calls = 0
    var waiting = 0
    /// Tokens that own calls have yet to compute before their first token.
    var pending = 0
    /// Tokens of own calls under way, prompts and answers as estimated.
    var held = 0
    /// Own calls whose first token has not come, in the order in which they began: tickets, −1: none.
    var oldest = -1
    var newest = -1
    /// When its last call began or ended.
    var lastUsed: Instant

    /// What the engine said last, −1: nothing; and of own calls those that it had, running and waiting, when it said so.
    var reportedWaiting = -1
    var reportedRunning = 0
    var reportedAt = Instant.zero
    /// The share of the memory for keys and values that is used, as the engine said.
    var kvUse = 0.0
    var runningThen = 0
    var waitingThen = 0
    /// Tokens of own calls that the engine worked on when it said how much of its memory is used.
    var heldThen = 0
    /// Tokens of own calls that the engine works on, as far as is known.
    var heldRunning = 0
    /// When it said how much of its memory is used.
    var kvUseAt = Instant.zero

    /// Nanoseconds until first tokens, and the tokens that were ahead of them: the sums of the latest.
    var took = 0.0
    var done = 0.0
    /// Nanoseconds for a token ahead of a first token; 0: not known yet.
    var pace = 0.0
    /// Nanoseconds for a token of an answer after its first; 0: not known yet.
    var tokenPace = 0.0

    /// As the member says, or else the engine; 0: neither does.
    var kvTokens = 0
    /// Tokens of a block of keys and values.
    var block = 16
    var window = Int.max
    var weight = 1.0
    /// Of a nanosecond; below 0: not known.
    var cost = 0.0
    /// What all clients have of the name alike.
    let seed: UInt64
    /// Kept alive by the record.
    let health: Unmanaged<ReplicaHealth>?

    init(_ record: ReplicaRecord, _ configuration: Fleet.Configuration, at now: Instant) {
        lastUsed = now
        seed = Array(record.member.name.utf8).withUnsafeBytes { spw_hash_xxh64($0.baseAddress, $0.count, 0) }
        health = record.health.map { Unmanaged.passUnretained($0) }
        set(record, configuration)
    }

    mutating func set(_ record: ReplicaRecord, _ configuration: Fleet.Configuration) {
        let member = record.member, load = record.load
        func isOther(_ own: String?, _ its: String?) -> Bool { own != nil && its != nil && own != its }
        window = member.window ?? .max
        weight = member.weight
        cost = (member.costPerHour ?? -3_600e9) / 3_600e9
        farther =
            isOther(configuration.region, member.region)
            ? Double(configuration.farthest.clampedNanoseconds)
            : isOther(configuration.zone, member.zone) ? Double(configuration.farther.clampedNanoseconds) : 0
        block = load.blockSize ?? 16
        // Bounded as a member's own word is.
        let (tokens, isOver) = (load.blocks ?? 0).multipliedReportingOverflow(by: block)
        kvTokens = member.kvTokens ?? (isOver ? 0 : min(tokens, 1_000_000_000))
        reportedWaiting = load.waiting ?? -1
        reportedRunning = load.running ?? 0
        reportedAt = load.said(.waiting) ?? .zero
        kvUse = load.kvUse ?? 0
        kvUseAt = load.said(.kvUse) ?? .zero
    }

    /// Nanoseconds for a token ahead of a first token; `common` where it is not known yet.
    func pace(or common: Double) -> Double { pace > 0 ? pace : common }

    /// Tokens of prompts that it is thought to keep at most.
    var kept: Int { kvTokens > 0 ? kvTokens : 500_000 }

    /// Tokens of memory that are used as the engine said, unless that is long ago: without calls nobody may say that they are free.
    private func reported(at now: Instant) -> Double? {
        kvUseAt.duration(to: now) < .seconds(10) ? kvUse * Double(kvTokens) : nil
    }

    /// Tokens of a prompt for which there is no memory until others leave.
    func lack(_ tokens: Int, at now: Instant) -> Double {
        guard kvTokens > 0 else { return 0 }
        let size = Double(kvTokens), used = max(Double(held), reported(at: now) ?? 0)
        return max(0, used + Double(tokens) - 0.95 * size)
    }

    /// Whether calls would need more than a `share` of its memory with one of so many tokens more.
    func isFull(_ tokens: Int, _ share: Double, at now: Instant) -> Bool {
        guard kvTokens > 0 else { return false }
        let blocks = (tokens + block - 1) / block * block
        // What the engine said, and own calls that it did not have in memory then.
        let used = reported(at: now).map { $0 + Double(max(0, held - heldThen)) } ?? Double(held)
        return used + Double(blocks) > share * Double(kvTokens)
    }

    /// Whether a call of so many tokens would need more than a `share` of its memory if it were alone.
    func isTooSmall(_ tokens: Int, _ share: Double) -> Bool {
        kvTokens > 0 && Double((tokens + block - 1) / block * block) > share * Double(kvTokens)
    }

    var phase: HealthPhase { health?._withUnsafeGuaranteedRef { $0.phase } ?? .ready }

    /// Whether it should be well, being in this phase: who was drained on purpose, also if it is off since, is not sick.
    func isInService(_ phase: HealthPhase) -> Bool {
        phase == .ready || !(health?._withUnsafeGuaranteedRef { $0.streams.isDrained } ?? false)
    }

    var isVetoed: Bool { health?._withUnsafeGuaranteedRef { $0.isVetoed } ?? false }

    /// What part of its calls it is to get; one that is not well, and is asked for want of others, less than any that is.
    func share(at now: Instant) -> Double {
        guard let share = health?._withUnsafeGuaranteedRef({ $0.share(at: now) }) else { return 1 }
        return max(share, 0.01)
    }
}

/// The rest of what a fleet knows of one replica.
struct ReplicaRecord: Sendable {
    var member: Member
    let health: ReplicaHealth?
    /// Whether somebody had drained it before it was wanted no more.
    var wasDrained = false
    /// Whether it is left alone for a while.
    var cooling = Cooling()
    /// What the engine said last.
    var load = EngineLoad()
    /// How far what it is thought to keep is believed.
    var reuse = Reuse()
    /// How often it had lost everything when that was seen last.
    var losses = 0

    init(_ member: Member, _ health: ReplicaHealth?) {
        self.member = member
        self.health = health
        losses = health?.losses ?? 0
    }
}
