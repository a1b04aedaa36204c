internal import SpillwayCore

extension FleetState {
    /// Has `body` run when the call is to go on elsewhere.
    func whenHandedOver(_ ticket: Ticket.ID, _ body: @escaping @Sendable () -> Void) {
        books.withLock { books in
            guard books.tickets[ticket.index].number == ticket.number else { return }
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
        var told: [@Sendable () -> Void] = []
        for place in replicas.indices where replicas[place].calls > 0 {
            guard let health = records[place].health else { continue }
            let isOver = health.streams.isDrainOver(at: now)
            guard isOver || health.phase == .dead || health.isStuck else { continue }
            for index in tickets.indices where tickets[index].place == place {
                // Who is taken for dead and yet speaks may go on: its own limits see when it is silent.
                guard isOver || tickets[index].firstToken == nil, let leave = tickets[index].leave else { continue }
                tickets[index].leave = nil
                tickets[index].isHandedOver = true
                told.append(leave)
            }
        }
        return told
    }
}
