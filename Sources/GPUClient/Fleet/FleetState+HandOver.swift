internal import SpillwayCore

extension FleetState {
    /// Has `body` run when the call is to go on elsewhere.
    func whenHandedOver(_ ticket: Ticket.ID, _ body: @escaping @Sendable () -> Void) {
        books.withLock { books in
            let entry = books.tickets[ticket.index]
            // One that may not be made again stays to its end.
            guard entry.number == ticket.number, entry.mayRepeat else { return }
            books.tickets[ticket.index].leave = body
        }
    }

    /// Has those told that are to go on elsewhere; returns how many.
    func handOver(at now: Instant) -> Int {
        let told = books.withLock { $0.handOver(at: now) }
        for leave in told { leave() }
        return told.count
    }
}

extension FleetState.Books {
    /// Those that are to be told, once, that their calls go on elsewhere.
    fileprivate mutating func handOver(at now: Instant) -> [@Sendable () -> Void] {
        // Of which replicas all calls go, and of which those that wait.
        var over = ReplicaSet(), gone = ReplicaSet(), serving = 0, well = 0
        for place in replicas.indices {
            guard let health = records[place].health else { return [] }
            let phase = health.phase
            if !replicas[place].isLeaving, replicas[place].isInService(phase) {
                serving += 1
                well += phase == .ready ? 1 : 0
            }
            guard replicas[place].calls > 0 else { continue }
            if health.streams.isDrainOver(at: now) { over.insert(place) }
            if phase == .dead || health.isStuck { gone.insert(place) }
        }
        // Where most are slow nobody is stuck.
        if isPanic(well: well, of: serving) {
            for place in replicas.indices where gone.contains(place) && records[place].health?.phase != .dead {
                gone.remove(place)
            }
        }
        guard !over.isEmpty || !gone.isEmpty else { return [] }
        var told: [@Sendable () -> Void] = []
        for index in tickets.indices {
            guard let leave = tickets[index].leave else { continue }
            let place = tickets[index].place
            // Who is taken for dead and yet speaks may go on: its own limits see when it is silent.
            guard over.contains(place) || gone.contains(place) && tickets[index].firstToken == nil else { continue }
            tickets[index].leave = nil
            tickets[index].isHandedOver = true
            told.append(leave)
        }
        return told
    }
}
