import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import Testing

/// What a breaker makes of what a store answers, good and bad.
@Suite struct BoardAnswerTests {
    /// Runs a board with a breaker until `body` ends.
    private func answered(
        _ change: @escaping @Sendable (inout CircuitBreaker.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (Simulation, ScriptedBoard, CircuitBreaker) async throws -> Void
    ) throws {
        let simulation = Simulation(seed: 1)
        try simulation.run {
            let store = ScriptedBoard()
            let board = try BreakerBoard("fleet", store: store, time: simulation.time, random: simulation.random)
            var configuration = CircuitBreaker.Configuration {
                $0.window = .consecutive(1)
                $0.openJitter = 0
                $0.ramp = .zero
                $0.probes = 1
            }
            change(&configuration)
            let breaker = try CircuitBreaker("r", configuration)
            try board.add(breaker)
            let running = simulation.start("board") { try await board.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(simulation, store, breaker)) } catch { result = .failure(error) }
            running.cancel()
            _ = await running.result
            try result.get()
        }
    }

    @Test func itsOwnEchoDoesNotCount() throws {
        try answered { simulation, store, breaker in
            store.set { report in
                seen(by: 1) + [BreakerSighting(breaker: "r", process: report.process, since: .zero, left: .seconds(9))]
            }
            try await simulation.seconds(3)
            #expect(breaker.currentState == .closed)
            store.set { _ in seen(by: 2) }
            try await simulation.seconds(2)
            #expect(breaker.currentState == .open, "two others do")
        }
    }

    @Test(arguments: [
        seen(by: 1) + seen(by: 1), seen("other", by: 2), seen(by: 2, left: .zero), seen(by: 2, left: .seconds(-5)),
        seen(by: 2, since: .seconds(-1)), seen(by: 1) + seen("r ", by: 2), [],
        seen(by: 1) + seen(by: 2, left: .nanoseconds(Int64.min)),
    ])
    func whatMakesNoSenseIsLeftOut(_ answer: [BreakerSighting]) throws {
        try answered { simulation, store, breaker in
            store.set { _ in answer }
            try await simulation.seconds(3)
            #expect(breaker.currentState == .closed)
            #expect(store.reports.withLock { $0.count } >= 3)
        }
    }

    @Test func opensForTheLongestButNoLongerThanItsOwnMost() throws {
        try answered({ $0.maximumOpenDuration = .seconds(20) }) { simulation, store, breaker in
            for (lengths, expected) in [([5.0, 8, 3], 8.0), ([5, 1e18], 20), ([9e18, 9e18], 20)] {
                store.set { _ in
                    lengths.enumerated().map {
                        BreakerSighting(
                            breaker: "r", process: UInt64($0), since: .zero, left: .seconds(Int64($1)))
                    }
                }
                while breaker.currentState != .open { try await simulation.seconds(0.01) }
                let now = simulation.time.now
                let rejection = #expect(throws: Rejection.self) { _ = try breaker.admit(at: now) }
                let left = rejection?.retryAfter ?? .zero
                #expect(rejection?.reason == .breakerOpen)
                #expect(left <= .seconds(expected) && left > .seconds(expected - 0.05), "\(left)")
                store.set { _ in [] }
                try await simulation.seconds(3)
                breaker.close(at: simulation.time.now)
            }
        }
    }

    /// The question was asked while it was open; the answer comes when its probe has just closed it.
    @Test func anAnswerThatComesLateDoesNotReopenIt() throws {
        try answered { simulation, store, breaker in
            try await simulation.seconds(0.5)
            store.set { _ in
                try await simulation.seconds(5)
                return seen(by: 3)
            }
            breaker.call(.failure(.serverError), at: simulation.time.now)
            try await simulation.seconds(2)
            breaker.probe(at: simulation.time.now)
            breaker.call(.success, at: simulation.time.now)
            let asked = store.reports.withLock { $0.count }
            store.set { _ in [] }
            try await simulation.seconds(4)
            #expect(store.reports.withLock { $0.count } > asked, "the answer has come")
            #expect(breaker.currentState == .closed)
        }
    }

    @Test func followsOnlyWhileClosed() throws {
        try answered { simulation, store, breaker in
            store.set { _ in seen(by: 2) }
            breaker.isolate(at: simulation.time.now)
            try await simulation.seconds(2)
            #expect(breaker.currentState == .isolated)
            breaker.disable(at: simulation.time.now)
            try await simulation.seconds(2)
            #expect(breaker.currentState == .disabled)
            store.set { _ in seen(by: 2, since: .seconds(100)) }
            breaker.close(at: simulation.time.now)
            try await simulation.seconds(2)
            #expect(breaker.currentState == .closed, "somebody has said that it is well")
            let reports = store.reports.withLock { $0 }
            #expect(reports.allSatisfy { $0.open.isEmpty }, "what was done by hand is not told")
        }
    }

    @Test func inShadowModeItFollowsAndIsNotTold() throws {
        try answered({ $0.mode = .shadow }) { simulation, store, breaker in
            store.set { _ in seen(by: 2) }
            try await simulation.seconds(2)
            #expect(breaker.currentState == .open)
            #expect(breaker.call(.success, at: simulation.time.now), "every call passes")
            breaker.close(at: simulation.time.now)
            store.set { _ in [] }
            breaker.call(.failure(.serverError), at: simulation.time.now)
            #expect(breaker.currentState == .open)
            try await simulation.seconds(2)
            #expect(store.reports.withLock { $0.allSatisfy { $0.open.isEmpty } })
        }
    }

    @Test func tellsSinceWhenAndForHowLong() throws {
        try answered { simulation, store, breaker in
            breaker.call(.failure(.serverError), at: simulation.time.now)
            let began = simulation.time.now
            try await simulation.seconds(10.5)
            breaker.call(.failure(.serverError), at: simulation.time.now)  // a failed probe: 20 s more
            try await simulation.seconds(4)
            let last = try #require(store.reports.withLock { $0.last })
            let one = try #require(last.open.first)
            #expect(one.process == last.process && one.breaker == "r" && last.board == "fleet")
            #expect(abs((one.since + one.left - .seconds(30.5)) / .seconds(1)) < 1e-6, "\(one)")
            let age = began.duration(to: simulation.time.now)
            #expect(one.since <= age && one.since > age - .seconds(1.2))
        }
    }

    @Test func refusesWhatCannotWork() async throws {
        let store = ScriptedBoard()
        for bad in [
            BreakerBoard.Configuration(quorum: 0), .init(interval: .milliseconds(9)), .init(interval: .seconds(3_601)),
            .init(life: .milliseconds(1_999)), .init(life: .seconds(86_401)),
        ] {
            #expect(throws: ConfigurationError.self) { try BreakerBoard("b", bad, store: store) }
        }
        #expect(throws: ConfigurationError.self) { try BreakerBoard("", store: store) }
        let board = try BreakerBoard("b", store: store), other = try BreakerBoard("c", store: store)
        #expect(throws: ConfigurationError.self) { try board.update(.init(quorum: -1)) }
        #expect(board.configuration == .init())
        try board.update(.init(quorum: 5))
        #expect(board.configuration.quorum == 5)
        var first: CircuitBreaker? = try CircuitBreaker("r")
        try board.add(#require(first))
        try board.add(#require(first))
        #expect(throws: ConfigurationError.self) { try other.add(#require(first)) }
        let second = try CircuitBreaker("r")
        #expect(throws: ConfigurationError.self) { try board.add(second) }
        try other.add(second)
        first = nil
        try board.add(CircuitBreaker("r"))
    }

    @Test func runsOnceAtATime() throws {
        let simulation = Simulation(seed: 1)
        try simulation.run {
            let board = try BreakerBoard("b", store: ScriptedBoard(), time: simulation.time, random: simulation.random)
            let running = simulation.start { try await board.run() }
            try await simulation.seconds(1)
            await #expect(throws: ConfigurationError.self) { try await board.run() }
            running.cancel()
            try await running.value
            let again = simulation.start { try await board.run() }
            again.cancel()
            try await again.value
        }
    }
}
