internal import SpillwayCore

/// What replicas are thought to keep of prompts, and whether that is believed.
extension FleetState.Books {
    /// How much of the prompt each replica has.
    mutating func match(_ prefix: Prefix) {
        for place in cached.indices { (cached[place], matched[place]) = (0, 0) }
        map.match(prefix.hashes) { place, hashes in
            matched[place] = hashes
            cached[place] = records[place].reuse.isNone ? 0 : hashes * prefix.tokensPerHash
        }
    }

    /// A call, by its number, goes to `place`: what it computes is kept there.
    mutating func keep(_ prefix: Prefix, at place: Int, by call: UInt64) {
        map.record(
            prefix.hashes, at: place, tokens: prefix.tokensPerHash, most: replicas[place].kept,
            by: UInt32(truncatingIfNeeded: call))
    }

    /// Whether the replica was dead since, or began anew, and so has nothing any more; then that is forgotten.
    mutating func forgetIfLost(at place: Int) -> Bool {
        guard let losses = records[place].health?.losses, losses != records[place].losses else { return false }
        records[place].losses = losses
        forgetAll(at: place)
        return true
    }

    private mutating func forgetAll(at place: Int) {
        map.forgetAll(at: place)
        records[place].reuse = Reuse()
    }

    /// A call has ended without a first token: what only it would have brought there is not there, unless it may have been computed
    /// for nobody.
    mutating func forgetUncomputed(_ ticket: FleetState.Ticket, _ outcome: Outcome) {
        let cause = outcome.cause
        guard outcome.verdict != .success, cause != .cancelled, cause != .timeout else { return }
        // Of a whole answer nobody tells when its first token comes.
        guard ticket.streams || cause.neverBegan else { return }
        let call = UInt32(truncatingIfNeeded: ticket.number)
        map.forget(ticket.prefix.hashes.dropFirst(ticket.matched), of: call, at: ticket.place)
    }

    /// What the engine's own counters say of it: that it began anew, or that it finds nothing of what is thought to be there.
    mutating func compare(_ before: EngineLoad, at place: Int) {
        let load = records[place].load
        func fell(_ count: KeyPath<EngineLoad, Int64?>) -> Bool {
            guard let now = load[keyPath: count], let then = before[keyPath: count] else { return false }
            return now < then
        }
        if fell(\.prefixQueries) || fell(\.prefixHits) || fell(\.preemptions) { return forgetAll(at: place) }
        guard let hits = load.prefixHits, load.said(.prefixHits) != before.said(.prefixHits) else { return }
        // Of what was predicted before the first page nobody knows what was found.
        guard let then = before.prefixHits else { return records[place].reuse = Reuse() }
        records[place].reuse.found(hits - then)
    }
}

/// Whether a replica's engine finds anything of what was predicted to be in its memory.
///
/// One without a cache of prefixes finds nothing, and would get all calls of one beginning if it were believed to. How much others find
/// is not learnt: prompts are counted in estimated tokens, some engines count blocks, and calls are predicted and counted at different
/// times.
struct Reuse: Sendable {
    /// So many tokens must have been predicted.
    private static let enough = 200_000.0
    /// A smaller share of them than this is nothing.
    private static let least = 0.001

    private var predicted = 0.0
    private var found = 0.0
    /// Whether it finds nothing; what others' calls find counts too.
    private(set) var isNone = false

    /// A call's prompt was computed of which so many tokens were thought to be there.
    mutating func predicted(_ tokens: Int) { predicted += Double(tokens) }

    /// The engine says that it found so many since its last page.
    mutating func found(_ tokens: Int64) {
        found += Double(tokens)
        guard predicted >= Self.enough else { return }
        isNone = found < Self.least * predicted
        (predicted, found) = (predicted / 2, found / 2)
    }
}
