internal import CSpillway
internal import SpillwayCore

/// What a fleet knows of one replica.
struct ReplicaState: Sendable {
    var member: Member
    let health: ReplicaHealth?
    /// It is wanted no more.
    var isLeaving = false

    /// Own calls under way, and those of them whose first token has not come.
    var calls = 0
    var waiting = 0
    /// Tokens that own calls have yet to compute before their first token.
    var pending = 0
    /// Tokens of own calls under way, prompts and answers as estimated.
    var held = 0

    /// What the engine said last, and own calls under way and waiting when it said so.
    var load = EngineLoad()
    var callsThen = 0
    var waitingThen = 0

    /// Nanoseconds until first tokens, and the tokens that were ahead of them: the sums of the latest.
    var took = 0.0
    var done = 0.0
    /// Nanoseconds for a token ahead of a first token; 0: not known yet.
    var pace = 0.0

    /// What all clients have of the name alike.
    let seed: UInt64

    init(_ member: Member, _ health: ReplicaHealth?) {
        self.member = member
        self.health = health
        seed = Array(member.name.utf8).withUnsafeBytes { spw_hash_xxh64($0.baseAddress, $0.count, 0) }
    }

    /// Tokens of prompts that it is thought to keep at most.
    var kept: Int { member.kvTokens ?? 500_000 }
}
