import Hedging
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct HedgeRunTests {
    private typealias Plan = Service.Plan

    /// Runs one call in a simulation and says how it ended, what its attempts did, and how long it took.
    private func run(
        _ plans: [Service.Plan], after delay: Hedge.Delay = .fixed(.seconds(3)), upTo limit: Int = 1,
        budget: any AttemptBudget = Purse(), losers: Hedge.Losers = .awaited, call: Call = twice,
        deadline: Instant? = nil, spareCapacity: (@Sendable () -> Bool)? = nil
    ) throws -> (result: Result<Int, PolicyError<Trouble>>, story: [String], seconds: Double, sleepers: Int) {
        let hedge = try Hedge(after: delay, upTo: limit, budget: budget, spareCapacity: spareCapacity, losers: losers)
        let simulation = Simulation(seed: 1)
        return try simulation.run {
            let service = Service(simulation, plans)
            let began = simulation.time.now
            let result = await hedge.call(service, simulation, call, deadline: deadline)
            return (
                result, service.story, began.duration(to: simulation.time.now) / .seconds(1), simulation.time.sleepers
            )
        }
    }

    @Test func aFastCallIsNotHedged() throws {
        let purse = Purse()
        let run = try run([Plan(seconds: 2)], budget: purse)
        #expect(run.result.winner == 1)
        #expect(run.story == ["1 starts 0.0", "1 succeeds 2.0"])
        #expect(run.sleepers == 0)
        #expect(purse.books == .init(deposits: 1))
    }

    @Test func aSlowCallIsHedgedAndTheHedgeWins() throws {
        let purse = Purse()
        let run = try run([Plan(seconds: 20), Plan(seconds: 2)], budget: purse)
        #expect(run.result.winner == 2)
        #expect(run.story == ["1 starts 0.0", "2 starts 3.0", "2 succeeds 5.0", "1 cancelled 5.0"])
        #expect(run.seconds == 5)
        #expect(run.sleepers == 0)
        #expect(purse.books == .init(deposits: 1, withdrawn: 1))
    }

    @Test func theFirstAttemptMayStillWin() throws {
        let run = try run([Plan(seconds: 4), Plan(seconds: 2)])
        #expect(run.result.winner == 1)
        #expect(run.story == ["1 starts 0.0", "2 starts 3.0", "1 succeeds 4.0", "2 cancelled 4.0"])
    }

    @Test func hedgesFollowEachOtherByTheDelayUpToTheLimit() throws {
        let run = try run([Plan(seconds: 60), Plan(seconds: 50), Plan(seconds: 1)], upTo: 2)
        #expect(run.result.winner == 3)
        #expect(run.story.filter { $0.contains("starts") } == ["1 starts 0.0", "2 starts 3.0", "3 starts 6.0"])
        #expect(run.seconds == 7)
        let capped = try self.run([Plan(seconds: 60)], upTo: 3)
        #expect(capped.story.count { $0.contains("starts") } == 4)
    }

    @Test func theCallersOwnDelayIsAskedForEachCall() throws {
        let delay = Hedge.Delay.custom { $0.tokens.total > 100 ? nil : .seconds(1) }
        #expect(try run([Plan(seconds: 9), Plan(seconds: 1)], after: delay).seconds == 2)
        let large = Call(tokens: .estimate(input: 200, maxOutput: 0), idempotency: .idempotent)
        #expect(try run([Plan(seconds: 9), Plan(seconds: 1)], after: delay, call: large).seconds == 9)
        let negative = Hedge.Delay.custom { _ in .seconds(-1) }
        #expect(try run([Plan(seconds: 9), Plan(seconds: 1)], after: negative).seconds == 1)
    }

    @Test func aCallThatMayNotBeMadeTwiceIsNotHedged() throws {
        let run = try run([Plan(seconds: 20)], call: Call())
        #expect(run.story == ["1 starts 0.0", "1 succeeds 20.0"])
        let keyed = try self.run([Plan(seconds: 20), Plan(seconds: 1)], call: Call(idempotency: .key("a")))
        #expect(keyed.result.winner == 2)
    }

    @Test func noHedgeStartsAtOrAfterTheDeadline() throws {
        #expect(try run([Plan(seconds: 20)], deadline: at(4)).story.count == 2)  // due then, to the nanosecond
        #expect(try run([Plan(seconds: 20), Plan(seconds: 1)], deadline: at(4.1)).result.winner == 2)
    }

    @Test func withoutSpareCapacityNothingIsStartedAndNothingPaid() throws {
        let purse = Purse()
        let run = try run([Plan(seconds: 20)], budget: purse, spareCapacity: { false })
        #expect(run.story == ["1 starts 0.0", "1 succeeds 20.0"])
        #expect(purse.books == .init(deposits: 1))
    }

    @Test func aCallThatEndsAtOnceNeedsNoTimer() async throws {
        let hedge = try Hedge(after: .fixed(.zero), budget: Purse())
        let time = ManualTime()
        let value = try await hedge.run(twice, deadline: nil, time: time) { attempt throws(Trouble) -> Int in
            attempt.hedge + 1
        }
        #expect(value == 1)
        #expect(time.sleepers == 0)
        let error = await #expect(throws: PolicyError<Trouble>.self) {
            try await hedge.run(twice, deadline: nil, time: time) { attempt throws(Trouble) -> Int in
                throw Trouble(attempt: attempt.hedge + 1)
            }
        }
        #expect(error?.underlying == Trouble(attempt: 1))
    }

    @Test func theMachinesOwnClockStartsHedgesToo() async throws {
        let hedge = try Hedge(after: .fixed(.milliseconds(1)), upTo: 2, budget: Purse())
        // Only the third attempt ends by itself.
        let value = try await hedge.run(twice, deadline: nil) { attempt in
            if attempt.hedge < 2 { try await SystemTime().sleep(for: .seconds(3_600)) }
            return attempt.hedge + 1
        }
        #expect(value == 3)
    }

    @Test func attemptsKnowTheirNumberTheirStartTheCallAndTheDeadline() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: Purse())
        let simulation = Simulation(seed: 1)
        let seen = Locked<[Attempt]>([])
        _ = try simulation.run {
            try await hedge.run(Call(key: "acme", idempotency: .idempotent), deadline: at(60), time: simulation.time) {
                attempt in
                seen.withLock { $0.append(attempt) }
                try await simulation.time.sleep(for: .seconds(5))
                return attempt.hedge + 1
            }
        }
        let attempts = seen.withLock { $0 }
        #expect(attempts.map(\.hedge) == [0, 1])
        #expect(attempts.map(\.started) == [at(1), at(4)])
        #expect(attempts.allSatisfy { $0.deadline == at(60) && $0.call.key == "acme" })
    }

    @Test func attemptsSeeTheTaskLocalsOfTheCaller() throws {
        let hedge = try Hedge(after: .fixed(.seconds(1)), budget: Purse())
        let simulation = Simulation(seed: 1)
        let seen = try simulation.run {
            try await CallContext.$current.withValue(CallContext(deadline: at(30))) {
                try await hedge.run(twice, time: simulation.time) { attempt in
                    try await simulation.time.sleep(for: .seconds(attempt.hedge == 0 ? 20 : 1))
                    return [CallContext.current?.deadline, attempt.deadline]
                }
            }
        }
        #expect(seen == [at(30), at(30)])
    }

    @Test func aHedgeThatCannotBeMadeIsGivenBack() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.seconds(1)), upTo: 3, budget: purse)
        let simulation = Simulation(seed: 1)
        let asked = Locked(0)
        try simulation.run {
            let first = Attempt(number: 1, call: twice, started: simulation.time.now)
            let ending = await hedge.race(first, time: simulation.time) { attempt throws(any Error) -> Int in
                try await simulation.time.sleep(for: .seconds(9))
                return attempt.hedge + 1
            } another: { _, _ in
                asked.withLock { $0 += 1 }
                return nil
            }
            guard case .succeeded(1) = ending else { throw Trouble(attempt: 1) }
        }
        #expect(purse.books == .init(withdrawn: 1, restored: 1))
        #expect(asked.withLock { $0 } == 1)
    }

    @Test func whatCannotWorkIsRefused() throws {
        func shortest(initially: Int? = nil, atLeast: Int = 1, atMost: Int = 600) throws -> Hedge {
            try Hedge(
                after: .shortest(
                    0.99, hedging: 0.05, initially: initially.map { .seconds($0) }, atLeast: .seconds(atLeast),
                    atMost: .seconds(atMost)), budget: Purse())
        }
        _ = try (shortest(initially: 1), shortest(initially: 600), shortest(atLeast: 2, atMost: 2))
        for (field, make) in [
            ("limit", { try Hedge(after: .fixed(.zero), upTo: 0, budget: Purse()) }),
            ("limit", { try Hedge(after: .fixed(.zero), upTo: 4, budget: Purse()) }),
            ("delay", { try Hedge(after: .fixed(.seconds(-1)), budget: Purse()) }),
            ("quantile", { try Hedge(after: .quantile(0), budget: Purse()) }),
            ("quantile", { try Hedge(after: .quantile(.nan), budget: Purse()) }),
            ("initially", { try Hedge(after: .quantile(0.9, initially: .seconds(-1)), budget: Purse()) }),
            ("atMost", { try Hedge(after: .quantile(0.9, atMost: .zero), budget: Purse()) }),
            ("atMost", { try shortest(atLeast: 2, atMost: 1) }),
            ("initially", { try shortest(initially: 1, atLeast: 2) }),
            ("initially", { try shortest(initially: 601) }),
            ("initially", { try Hedge(after: .quantile(0.9, initially: .zero), budget: Purse()) }),
            ("share", { try Hedge(after: .shortest(0.99, hedging: 0), budget: Purse()) }),
            ("grace", { try Hedge(after: .fixed(.zero), budget: Purse(), losers: .reaped(grace: .seconds(-1))) }),
            ("grace", { try Hedge(after: .fixed(.zero), budget: Purse(), losers: .reaped(grace: .seconds(4_000))) }),
        ] as [(String, () throws -> Hedge)] {
            let error = #expect(throws: ConfigurationError.self) { try make() }
            #expect(error?.field == field)
        }
    }
}
