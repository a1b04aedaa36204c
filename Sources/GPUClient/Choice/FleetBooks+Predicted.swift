internal import CSpillway
internal import SpillwayCore

extension FleetState.Books {
    // Shares found by replaying traces through the engine model (docs/simulation.md): each may be halved or doubled without
    // much of a change.

    /// What a token counts that is computed for the call itself.
    private static let own = 1.0
    /// How much more where nobody else sends calls: it takes time from all that come after, and what is thought to be in memory is.
    private static let alone = 15.0
    /// What a token counts that a call under way holds in memory, beside one that has to be computed.
    private static let held = 0.1
    /// How likely a prompt that others have asked is where it is at home.
    private static let home = 0.9
    /// How far reports of others' calls are believed: all clients read them, and all would run where nobody was.
    private static let reports = 0.3

    /// The replica whose first token is predicted to come first.
    ///
    /// The time is that of the tokens which are ahead of it there and of its own that were not computed before, at the replica's pace.
    /// Tokens that wait for memory, and those that running calls hold, count too.
    func predicted(
        _ call: Call, _ prefix: Prefix, _ session: Session?, _ open: ReplicaSet,
        _ configuration: Fleet.Configuration, at now: Instant
    ) -> Int {
        let part = (own + 1) / (reported + 1), home = part < 0.999 ? home(prefix, open) : -1
        let weight = Self.own + Self.alone * part * part
        let common = done > 0 ? took / done : 1, far = Double(configuration.farther.clampedNanoseconds)
        let last = session.flatMap { place(of: $0.replica) } ?? -1
        return least(of: open) { index, replica in
            var own = Double(max(1, prefix.tokens - cached[index]))
            if index == home { own *= 1 - (1 - part) * Self.home }
            if index == last { own *= 1 - Self.home }
            let pace = replica.pace > 0 ? replica.pace : common
            var tokens = Double(replica.pending) + Self.held * Double(replica.held) + weight * own
            tokens += replica.lack(prefix.tokens) + Self.reports * part * others(replica, pace, at: now)
            var cost = tokens * pace
            if replica.isFar { cost += far }
            return cost / (replica.share(at: now) * replica.weight)
        }
    }

    /// Tokens that calls of others are thought to have ahead, and to hold.
    private func others(_ replica: ReplicaState, _ pace: Double, at now: Instant) -> Double {
        let waiting = replica.reportedWaiting
        guard waiting >= 0 else { return 0 }
        let calls = max(0, waiting + replica.reportedRunning - replica.callsThen)
        var pending = Double(min(calls, max(0, waiting - replica.waitingThen))) * meanUncached
        if pending > 0, done > 0 {
            // Some of them have been computed since.
            let age = max(0, replica.reportedAt.duration(to: now).clampedNanoseconds)
            pending = max(0, pending - Double(age) / pace)
        }
        return pending + Self.held * Double(calls) * meanTokens
    }

    /// Where prompts like this one are at home, whoever asks: rendezvous hashing (Thaler and Ravishankar, 1998); −1: nowhere.
    private func home(_ prefix: Prefix, _ open: ReplicaSet) -> Int {
        guard let key = homes.key(prefix.hashes, share: 0.5 / Float(open.count)) else { return -1 }
        var best = -1, highest: UInt64 = 0
        open.forEach { index in
            let score = spw_hash_integer(key, replicas[index].seed)
            if best < 0 || score > highest { (best, highest) = (index, score) }
        }
        return best
    }
}
