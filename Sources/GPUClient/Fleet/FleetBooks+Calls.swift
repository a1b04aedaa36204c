internal import SpillwayCore

extension FleetState.Books {
    /// By what share what was learnt of a replica's pace fades with each first token.
    private static let fade = 0.9

    /// Books a call at `place`.
    mutating func book(
        _ ask: FleetState.Ask, at place: Int, _ stream: StreamID?
    ) -> FleetState.Found {
        let prefix = ask.prefix, now = ask.now
        // The last token of a prompt is always computed: its output is the first token of the answer.
        let hit = max(0, min(cached[place], prefix.tokens - 1)), uncached = max(1, prefix.tokens - hit)
        let ahead = replicas[place].pending + uncached, held = ask.held
        let index = free.popLast() ?? tickets.count
        lastNumber += 1
        let ticket = FleetState.Ticket(
            number: lastNumber, place: place, uncached: uncached, held: held, ahead: ahead, began: now,
            prefix: prefix, stream: stream)
        if index == tickets.count { tickets.append(ticket) } else { tickets[index] = ticket }
        replicas[place].calls += 1
        replicas[place].pending += uncached
        replicas[place].held += held
        replicas[place].lastUsed = now
        enqueue(index, at: place)
        let weight = meanTokens == 0 ? 1 : 0.01
        meanTokens += (Double(prefix.tokens) - meanTokens) * weight
        meanUncached += (Double(uncached) - meanUncached) * weight
        if configuration.rule.usesPrefixes {
            homes.note(prefix.hashes)
            map.record(prefix.hashes, at: place, most: max(1, replicas[place].kept / prefix.tokensPerHash))
        }
        let pace = pace(of: place)
        return FleetState.Found(
            member: records[place].member, cached: hit,
            predicted: pace > 0 ? .nanoseconds(Int64(min(1e15, Double(ahead) * pace))) : nil,
            ticket: .init(index: index, number: lastNumber))
    }

    /// Nanoseconds for a token ahead of a first token; 0: nothing is known of any replica.
    func pace(of place: Int) -> Double {
        if replicas[place].pace > 0 { return replicas[place].pace }
        return done > 0 ? took / done : 0
    }

    /// Its health and its stream there; nil: it has ended, or there are no health checks.
    func stream(of ticket: FleetState.Ticket.ID) -> (ReplicaHealth, StreamID)? {
        let entry = tickets[ticket.index]
        guard entry.number == ticket.number, let stream = entry.stream, let health = records[entry.place].health
        else { return nil }
        return (health, stream)
    }

    mutating func firstToken(_ ticket: FleetState.Ticket.ID, at now: Instant) -> (ReplicaHealth, StreamID)? {
        let entry = tickets[ticket.index], place = entry.place
        guard entry.number == ticket.number, entry.firstToken == nil else { return nil }
        tickets[ticket.index].firstToken = now
        dequeue(ticket.index, at: place)
        replicas[place].pending -= entry.uncached
        // Sums, so that long ones tell more: of the time of a short one most is not that of its tokens.
        let took = Double(entry.began.duration(to: now).clampedNanoseconds), ahead = Double(entry.ahead)
        replicas[place].took = replicas[place].took * Self.fade + took
        replicas[place].done = replicas[place].done * Self.fade + ahead
        let fade = 1 - (1 - Self.fade) / Double(replicas.count)
        self.took = self.took * fade + took
        self.done = self.done * fade + ahead
        // Taken for as fast as the others until it has shown otherwise over a hundred calls' tokens.
        let prior = 100 * meanTokens
        replicas[place].pace =
            (replicas[place].took + prior * self.took / self.done) / (replicas[place].done + prior)
        return stream(of: ticket)
    }

    mutating func end(_ ticket: FleetState.Ticket.ID, usage: Usage?, at now: Instant?) {
        let entry = tickets[ticket.index], place = entry.place
        guard entry.number == ticket.number else { return }
        if let first = entry.firstToken {
            if let usage, let now, usage.answerTokens > 1 {
                let pace = Double(first.duration(to: now).clampedNanoseconds) / Double(usage.answerTokens - 1)
                let before = replicas[place].tokenPace
                replicas[place].tokenPace = before == 0 ? pace : before + (1 - Self.fade) * (pace - before)
            }
        } else {
            dequeue(ticket.index, at: place)
            replicas[place].pending -= entry.uncached
        }
        if let now { replicas[place].lastUsed = max(replicas[place].lastUsed, now) }
        replicas[place].calls -= 1
        replicas[place].held -= entry.held
        // The engine had kept less than was thought.
        if let usage, usage.promptTokens > 0, usage[.cacheRead] < entry.prefix.tokens - entry.uncached {
            map.forget(entry.prefix.hashes, beyond: usage[.cacheRead] / entry.prefix.tokensPerHash, at: place)
            map.record(
                Array(entry.prefix.hashes.prefix(Self.computed(usage, entry.prefix))), at: place,
                most: max(1, replicas[place].kept / entry.prefix.tokensPerHash))
        }
        tickets[ticket.index] = FleetState.Ticket()
        free.append(ticket.index)
        if replicas[place].isLeaving, replicas[place].calls == 0 { map.forgetAll(at: place) }
    }

    /// Hashes of a prompt that the engine has now, whatever it had before: it has just computed them.
    private static func computed(_ usage: Usage, _ prefix: Prefix) -> Int {
        usage.answerTokens > 0 ? prefix.hashes.count : usage[.cacheRead] / prefix.tokensPerHash
    }
}
