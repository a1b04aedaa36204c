internal import SpillwayCore

extension FleetState.Books {
    /// Books a call at `place`.
    mutating func book(
        _ ask: FleetState.Ask, at place: Int, _ stream: StreamID?
    ) -> FleetState.Found {
        let prefix = ask.prefix, now = ask.now
        if forgetIfLost(at: place) { (cached[place], matched[place]) = (0, 0) }
        // The last token of a prompt is always computed: its output is the first token of the answer.
        let known = configuration.rule.usesPrefixes ? cached[place] : 0
        let hit = max(0, min(known, prefix.tokens - 1)), uncached = max(1, prefix.tokens - hit)
        let ahead = replicas[place].pending + uncached, held = ask.held
        // Of a whole answer nobody tells when they are computed: over its time they count for as much as those of a stream.
        let pending = ask.call.streams ? uncached : max(1, Int(Double(uncached) * firstShare))
        let index = free.popLast() ?? tickets.count
        lastNumber += 1
        let ticket = FleetState.Ticket(
            number: lastNumber, place: place, uncached: uncached,
            matched: configuration.rule.usesPrefixes ? matched[place] : 0, pending: pending, held: held, ahead: ahead,
            streams: ask.call.streams, began: now, prefix: prefix, stream: stream,
            mayRepeat: ask.call.idempotency.allowsRepetition)
        if index == tickets.count { tickets.append(ticket) } else { tickets[index] = ticket }
        replicas[place].calls += 1
        replicas[place].pending += pending
        replicas[place].held += held
        // Who does not tell when the engine begins with a call is taken to have begun.
        replicas[place].heldRunning += ticket.streams ? 0 : held
        replicas[place].lastUsed = max(replicas[place].lastUsed, now)
        enqueue(index, at: place)
        let weight = meanTokens == 0 ? 1 : 0.01
        meanTokens += (Double(prefix.tokens) - meanTokens) * weight
        meanUncached += (Double(uncached) - meanUncached) * weight
        if configuration.rule.usesPrefixes {
            homes.note(prefix.hashes)
            keep(prefix, at: place, by: lastNumber)
        }
        let pace = done == 0 ? 0 : replicas[place].pace(or: commonPace)
        return FleetState.Found(
            member: records[place].member, cached: hit,
            predicted: pace > 0 ? .nanoseconds(Int64(min(1e15, Double(ahead) * pace))) : nil,
            ticket: .init(index: index, number: lastNumber), hasHealth: stream != nil)
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
        replicas[place].pending -= entry.pending
        replicas[place].heldRunning += entry.streams ? entry.held : 0
        learn(entry.began.duration(to: now), entry.ahead, of: place, at: now)
        records[place].reuse.predicted(entry.predictedHit)
        return stream(of: ticket)
    }

    /// Without health checks it is a failure like others.
    mutating func hung(_ ticket: FleetState.Ticket.ID, at now: Instant) -> (ReplicaHealth, StreamID)? {
        let entry = tickets[ticket.index]
        guard entry.number == ticket.number else { return nil }
        if records[entry.place].health == nil { cool(entry, .failure(.timeout), at: now) }
        return stream(of: ticket)
    }

    private mutating func cool(_ entry: FleetState.Ticket, _ outcome: Outcome, at now: Instant) {
        records[entry.place].cooling.note(outcome, began: entry.began, at: now)
        let cooling = records[entry.place].cooling
        coolUntil = max(coolUntil, max(cooling.until, cooling.told))
    }

    mutating func end(_ ticket: FleetState.Ticket.ID, _ outcome: Outcome, usage: Usage?, at now: Instant?) {
        let entry = tickets[ticket.index], place = entry.place
        guard entry.number == ticket.number else { return }
        let answer = usage?.answerTokens ?? 0
        if let first = entry.firstToken {
            if let now, answer > 1 { learnAnswer(first.duration(to: now), answer - 1, of: place) }
        } else {
            dequeue(ticket.index, at: place)
            replicas[place].pending -= entry.pending
            if let now, !entry.streams, outcome.verdict == .success {
                learnWhole(entry.began.duration(to: now), answer, entry.ahead, of: place, at: now)
                records[place].reuse.predicted(entry.predictedHit)
            } else if let now, entry.streams {
                learnSilence(entry.began.duration(to: now), entry.ahead, of: place, at: now)
            }
            forgetUncomputed(entry, outcome)
        }
        if let now {
            replicas[place].lastUsed = max(replicas[place].lastUsed, now)
            cool(entry, outcome, at: now)
        }
        replicas[place].calls -= 1
        replicas[place].held -= entry.held
        replicas[place].heldRunning -= entry.streams && entry.firstToken == nil ? 0 : entry.held
        // Less was there than was thought: but it was computed now, and used last.
        if let usage, answer > 0, usage[.cacheRead] < entry.predictedHit {
            keep(entry.prefix, at: place, by: entry.number)
        }
        tickets[ticket.index] = FleetState.Ticket()
        free.append(ticket.index)
        if replicas[place].isLeaving, replicas[place].calls == 0 { map.forgetAll(at: place) }
    }
}
