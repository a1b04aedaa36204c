internal import SpillwayCore

extension FleetState.Books {
    /// By what share what was learnt of a replica's pace fades with each first token.
    private static let fade = 0.9

    /// Books a call at `place`.
    mutating func book(
        _ call: Call, _ prefix: Prefix, at place: Int, _ stream: StreamID?, _ rule: FleetRule, at now: Instant
    ) -> FleetState.Found {
        // The last token of a prompt is always computed: its output is the first token of the answer.
        let hit = max(0, min(cached[place], prefix.tokens - 1)), uncached = max(1, prefix.tokens - hit)
        let ahead = replicas[place].pending + uncached, held = prefix.tokens + Int(call.tokens.maxOutput)
        let index = free.popLast() ?? tickets.count
        lastNumber += 1
        let ticket = FleetState.Ticket(
            number: lastNumber, place: place, uncached: uncached, held: held, ahead: ahead, began: now,
            prefix: prefix, stream: stream)
        if index == tickets.count { tickets.append(ticket) } else { tickets[index] = ticket }
        replicas[place].calls += 1
        replicas[place].waiting += 1
        replicas[place].pending += uncached
        replicas[place].held += held
        let weight = meanTokens == 0 ? 1 : 0.01
        meanTokens += (Double(prefix.tokens) - meanTokens) * weight
        meanUncached += (Double(uncached) - meanUncached) * weight
        if rule.usesPrefixes {
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
        guard entry.number == ticket.number, !entry.hasFirst else { return nil }
        tickets[ticket.index].hasFirst = true
        replicas[place].waiting -= 1
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
        if !entry.hasFirst {
            replicas[place].waiting -= 1
            replicas[place].pending -= entry.uncached
        }
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

    mutating func report(_ load: EngineLoad, from place: Int) {
        let before = records[place].load
        records[place].load.update(load)
        replicas[place].set(records[place].load)
        guard let at = load.said(.running) ?? load.said(.waiting) ?? load.said(.kvUse),
            before.said(.running).map({ at >= $0 }) ?? true
        else { return }
        replicas[place].callsThen = replicas[place].calls
        replicas[place].waitingThen = replicas[place].waiting
        guard let running = load.running else { return }
        let all = Double(running) + Double(load.waiting ?? 0)
        reported = reported * 0.99 + all
        own = own * 0.99 + min(all, Double(replicas[place].calls))
    }
}
