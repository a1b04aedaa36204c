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
    /// How far what others have at home is guessed from own calls there: the more there are of them, the less own calls tell.
    private static let homeGuess = 2.0

    /// The replica whose first token is predicted to come first.
    ///
    /// The time is that of the tokens which are ahead of it there and of its own that were not computed before, at the replica's pace.
    /// Tokens that wait for memory, and those that running calls hold, count too.
    ///
    /// With an objective the cheapest of those that are soon enough.
    func predicted(_ ask: FleetState.Ask, _ open: ReplicaSet) -> Int {
        let prefix = ask.prefix, now = ask.now
        let part = (own + 1) / (reported + 1), home = part < 0.999 ? home(prefix, open) : -1
        let weight = Self.own + Self.alone * part * part
        let common = commonPace
        let last = ask.session.flatMap { place(of: $0.replica) } ?? -1
        if let objective = configuration.objective, done > 0 {
            let cheapest = cheapest(ask, open, last, within: Double(objective.clampedNanoseconds))
            if cheapest >= 0 { return cheapest }
        }
        return least(of: open) { index, replica in
            var own = Double(max(1, prefix.tokens - cached[index]))
            if index == home { own *= 1 - (1 - part) * Self.home }
            if index == last { own *= 1 - Self.home }
            let pace = replica.pace(or: common)
            var tokens = Double(replica.pending) + Self.held * Double(replica.held) + weight * own
            tokens += replica.lack(prefix.tokens, at: now) + Self.reports * part * others(replica, pace, at: now)
            if index == home { tokens += Self.homeGuess * part * (1 - part) * Double(replica.pending) }
            return (tokens * pace + replica.farther) / (replica.share(at: now) * replica.weight)
        }
    }

    /// Of the replicas that are predicted to be soon enough the one whose answer costs least; −1: none is soon enough.
    ///
    /// An answer costs its share of the replica's time: its tokens of the prompt, and those of the answer among the calls that are made
    /// beside it. So calls come together on few replicas, and the others idle (``Fleet/idle(for:keeping:at:)``).
    private func cheapest(
        _ ask: FleetState.Ask, _ open: ReplicaSet, _ last: Int, within objective: Double
    ) -> Int {
        let common = commonPace
        func own(_ place: Int, _ replica: ReplicaState) -> Double {
            let tokens = Double(max(1, ask.prefix.tokens - cached[place]))
            return (place == last ? tokens * (1 - Self.home) : tokens) * replica.pace(or: common)
        }
        func wait(_ place: Int, _ replica: ReplicaState) -> Double {
            let ahead = Double(replica.pending) + replica.lack(ask.prefix.tokens, at: ask.now)
            return own(place, replica) + ahead * replica.pace(or: common) + replica.farther
        }
        var soon = ReplicaSet(), dearest = 0.0
        open.forEach { place in
            let replica = replicas[place]
            // One that comes back little by little is soon enough for few.
            if wait(place, replica) <= objective * replica.share(at: ask.now) { soon.insert(place) }
            dearest = max(dearest, replica.cost)
        }
        return least(of: soon) { place, replica in
            let answer = Double(ask.call.tokens.maxOutput) * replica.tokenPace / Double(replica.calls + 1)
            // What nobody knows the price of is as dear as any; of equals the sooner.
            let cost = replica.cost >= 0 ? replica.cost : dearest > 0 ? dearest : 1
            return cost * (own(place, replica) + answer) * (1 + 1e-6 * wait(place, replica) / objective)
        }
    }

    /// Tokens that calls of others are thought to have ahead, and to hold.
    private func others(_ replica: ReplicaState, _ pace: Double, at now: Instant) -> Double {
        let waiting = replica.reportedWaiting
        guard waiting >= 0 else { return 0 }
        let calls = max(0, waiting + replica.reportedRunning - replica.waitingThen - replica.runningThen)
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
