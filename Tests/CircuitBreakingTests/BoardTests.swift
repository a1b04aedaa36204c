import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import Testing

/// Processes that warn each other, in whatever order they come.
@Suite struct BoardTests {
    /// Runs `body` with `count` processes on one store, under several schedules.
    private func fleet(
        _ count: Int, seeds: UInt64 = 20,
        _ body: @escaping @Sendable (Simulation, MemoryBoard, [Peer]) async throws -> Void
    ) throws {
        for seed in 1...seeds {
            let simulation = Simulation(seed: seed)
            do {
                try simulation.run {
                    let store = MemoryBoard(simulation.time)
                    let peers = try (0..<count).map { _ in try Peer(simulation, store) }
                    let result: Result<Void, any Error>
                    do { result = .success(try await body(simulation, store, peers)) } catch {
                        result = .failure(error)
                    }
                    for peer in peers { await peer.end() }
                    try result.get()
                }
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    @Test func whatTwoHaveFoundOpenOpensInTheThird() throws {
        try fleet(3) { simulation, store, peers in
            try await simulation.seconds(2)
            peers[0].fail()
            peers[1].fail()
            let openedAt = simulation.time.now
            try await simulation.seconds(1.3)
            try #require(peers[2].state == .open, "an interval later at the latest")
            #expect(store.open == ["r", "r"], "what it has by hearsay is not reported")
            let now = simulation.time.now
            let rejection = #expect(throws: Rejection.self) { _ = try peers[2].breaker.admit(at: now) }
            let end = now.advanced(by: rejection?.retryAfter ?? .zero)
            let drift = openedAt.advanced(by: .seconds(10)).duration(to: end)
            #expect(drift >= .zero && drift < .milliseconds(5), "as long as the others: \(drift)")
            try await simulation.seconds(9)
            peers[2].call(.success)
            #expect(peers[2].state == .closed, "its own probe closes it")
            try await simulation.seconds(3)
            #expect(peers[2].state == .closed)
        }
    }

    @Test func oneOfThreeIsNotEnough() throws {
        try fleet(3) { simulation, store, peers in
            peers[0].fail()
            try await simulation.seconds(5)
            #expect(store.open == ["r"])
            #expect(peers.map(\.state) == [.open, .closed, .closed])
        }
    }

    @Test func itsOwnFailedProbesAreItsOwnWord() throws {
        try fleet(3) { simulation, store, peers in
            peers[0].fail()
            peers[1].fail()
            try await simulation.seconds(12)
            try #require(peers[2].state == .open)
            peers[2].fail()
            try await simulation.seconds(1)
            #expect(store.open == ["r"])
        }
    }

    @Test func theWordOfTheDeadDoesNotLast() throws {
        try fleet(2) { simulation, store, peers in
            peers[0].fail()
            peers[1].fail()
            try await simulation.seconds(0.5)
            #expect(store.open.count == 2)
            for peer in peers {
                peer.line.cut(true)
                await peer.end()
            }
            let early = try Peer(simulation, store)
            try await simulation.seconds(1)
            #expect(early.state == .open, "a process that starts hears it as well")
            try await simulation.seconds(2.5)
            let late = try Peer(simulation, store)
            try await simulation.seconds(3)
            #expect(late.state == .closed)
            await early.end()
            await late.end()
        }
    }

    @Test func whoEndsTakesBackWhatItSaid() throws {
        try fleet(1) { simulation, store, peers in
            peers[0].fail()
            try await simulation.seconds(0.5)
            #expect(store.open == ["r"])
            await peers[0].end()
            #expect(store.open.isEmpty)
            #expect(peers[0].state == .open && peers[0].board.isStoreAway)
        }
    }

    @Test func aStoreThatIsAwayChangesNothing() throws {
        try fleet(3) { simulation, store, peers in
            try await simulation.seconds(2)
            #expect(!peers[2].board.isStoreAway)
            peers[2].line.cut(true)
            peers[0].fail()
            peers[1].fail()
            try await simulation.seconds(5)
            #expect(peers[2].state == .closed && peers[2].board.isStoreAway)
            peers[2].line.cut(false)
            try await simulation.seconds(1.3)
            #expect(peers[2].state == .open && !peers[2].board.isStoreAway)
            peers[2].line.cut(true)
            try await simulation.seconds(4)
            peers[2].call(.success)
            #expect(peers[2].state == .closed, "the time that it has heard of is over")
        }
    }

    /// Two are still open when the third has found out that all is well; when they fail anew, that is news.
    @Test func whoWasFoundWellOpensByNewTroubleOnly() throws {
        try fleet(3) { simulation, store, peers in
            peers[0].fail()
            peers[1].fail()
            try await simulation.seconds(1.5)
            peers[2].breaker.probe(at: simulation.time.now)
            peers[2].call(.success)
            #expect(peers[2].state == .closed)
            try await simulation.seconds(9)
            for peer in peers[..<2] { peer.fail() }  // failed probes: the same trouble
            try await simulation.seconds(3)
            #expect(store.open.count == 2)
            #expect(peers[2].state == .closed)
            for peer in peers[..<2] {
                peer.breaker.close(at: simulation.time.now)
                peer.fail()
            }
            try await simulation.seconds(1.3)
            #expect(peers[2].state == .open)
        }
    }

    @Test func aGroupMustHaveAPlace() throws {
        try fleet(2) { simulation, store, peers in
            let group = try BreakerGroup("g", .init(mostOpen: 0.5, panicAbove: 1))
            let other = try CircuitBreaker("other", .init { $0.window = .consecutive(1) }, group: group)
            let third = try Peer(simulation, store, group: group)
            other.call(.failure(.serverError), at: simulation.time.now)
            for peer in peers { peer.fail() }
            try await simulation.seconds(3)
            #expect(third.state == .closed && group.standing.open == 1)
            other.close(at: simulation.time.now)
            try await simulation.seconds(1.3)
            #expect(third.state == .open && group.standing.open == 1)
            await third.end()
        }
    }

    /// Every interval while nothing happens; at once, but seldom enough, when much does.
    @Test func asksAsOftenAsItSays() throws {
        try fleet(1) { simulation, store, peers in
            try await simulation.seconds(20)
            #expect((18...21).contains(store.exchanges), "\(store.exchanges)")
            let before = store.exchanges
            peers[0].fail()
            try await simulation.seconds(0.11)
            #expect(store.open == ["r"], "told at once")
            for _ in 0..<1_000 {
                peers[0].breaker.close(at: simulation.time.now)
                peers[0].fail()
                try await simulation.seconds(0.001)
            }
            #expect(store.exchanges - before <= 14, "\(store.exchanges - before)")
        }
    }
}
