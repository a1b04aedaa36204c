internal import SpillwayCore

/// What replicas are thought to keep of prompts, and how far that is believed.
extension FleetState.Books {
    /// How much of the prompt each replica has.
    mutating func match(_ prefix: Prefix) {
        for place in cached.indices { (cached[place], matched[place]) = (0, 0) }
        map.match(prefix.hashes) { place, hashes in
            matched[place] = hashes
            cached[place] = Int(Double(hashes * prefix.tokensPerHash) * records[place].reuse.share)
        }
    }

    /// A call goes to `place`: what it computes is kept there.
    mutating func keep(_ prefix: Prefix, at place: Int) {
        map.record(prefix.hashes, at: place, tokens: prefix.tokensPerHash, most: replicas[place].kept)
    }

    /// Whether the replica was dead since, or began anew, and so has nothing any more; then that is forgotten.
    mutating func forgetIfLost(at place: Int) -> Bool {
        guard let losses = records[place].health?.losses, losses != records[place].losses else { return false }
        records[place].losses = losses
        map.forgetAll(at: place)
        return true
    }

    /// A call has ended without a first token: what only it would have brought there is not there, unless it may have been computed
    /// for nobody.
    mutating func forgetUncomputed(_ ticket: FleetState.Ticket, _ outcome: Outcome) {
        guard outcome.verdict != .success, outcome.cause != .cancelled, outcome.cause != .timeout else { return }
        map.forget(ticket.prefix.hashes.dropFirst(ticket.matched), at: ticket.place)
    }

    /// What the engine's own counters say of it: that it began anew, or how much it finds of what is thought to be there.
    mutating func compare(_ before: EngineLoad, at place: Int) {
        let load = records[place].load
        func fell(_ count: KeyPath<EngineLoad, Int64?>) -> Bool {
            guard let now = load[keyPath: count], let then = before[keyPath: count] else { return false }
            return now < then
        }
        if fell(\.prefixQueries) || fell(\.prefixHits) || fell(\.preemptions) { map.forgetAll(at: place) }
        if let hits = load.prefixHits, let then = before.prefixHits, load.said(.prefixHits) != before.said(.prefixHits)
        {
            records[place].reuse.found(max(0, hits - then))
        }
    }
}

/// How much of what was predicted to be in a replica's memory its engine says it found there.
///
/// An engine without a cache of prefixes finds nothing, and would get all calls of one beginning if it were believed to.
struct Reuse: Sendable {
    /// What is left of the sums after a page.
    private static let fade = 0.9
    /// So many predicted tokens must have been compared.
    private static let enough = 20_000.0
    /// It is never less: what begins to keep prefixes must be able to show it.
    private static let least = 0.02

    /// Tokens that were predicted since the engine's last page.
    private var pending = 0.0
    private var predicted = 0.0
    private var found = 0.0
    /// The share that is found; 1 until enough is known.
    ///
    /// What others' calls find counts too, so it is rather too high.
    private(set) var share = 1.0

    /// A call's prompt was computed of which so many tokens were thought to be there.
    mutating func predicted(_ tokens: Int) { pending += Double(tokens) }

    /// The engine says that it found so many since its last page.
    mutating func found(_ tokens: Int64) {
        predicted = predicted * Self.fade + pending
        found = found * Self.fade + Double(tokens)
        pending = 0
        if predicted >= Self.enough { share = min(1, max(Self.least, found / predicted)) }
    }
}
