import Hedging
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct HedgeCancellationTests {
    private typealias Plan = Service.Plan
    private struct Wrong: Error { let what: String }

    @Test("the caller's cancellation ends all attempts, at whatever await it comes")
    func cancelledAtEveryAwait() async throws {
        for losers in [Hedge.Losers.awaited, .reaped(grace: .seconds(1))] {
            for step in 0..<14 {
                let seeds: Range<UInt64> = 0..<100
                try await Simulation.check(seeds: seeds) { simulation in
                    let purse = Purse()
                    let hedge = try Hedge(after: .fixed(.seconds(3)), upTo: 2, budget: purse, losers: losers)
                    let service = Service(simulation, [Plan(seconds: 20), Plan(seconds: 10), Plan(seconds: 30)])
                    let task = simulation.start("caller", cancelledAtAwait: step) {
                        await hedge.call(service, simulation)
                    }
                    let result = try await task.value
                    if service.running > 0 { throw Wrong(what: "still running at step \(step)") }
                    if purse.spent != service.started - 1 { throw Wrong(what: "\(purse.books)") }
                    if result.winner == nil, result.failed != 1 { throw Wrong(what: "\(result)") }
                    if simulation.time.sleepers > 0 { throw Wrong(what: "an alarm is set") }
                }
            }
        }
    }

    @Test("a call of a task that is cancelled already sees it at once, and gets no hedge")
    func cancelledBefore() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.zero), budget: purse)
        let simulation = Simulation(seed: 1)
        let (result, seen) = try simulation.run {
            let seen = Locked(false)
            let task = simulation.start("caller", cancelledAtAwait: 0) {
                try await hedge.run(twice, deadline: nil, time: simulation.time) { attempt in
                    seen.withLock { $0 = Task.isCancelled }
                    try await simulation.time.sleep(for: .seconds(1))
                    return attempt.hedge + 1
                }
            }
            return (await task.result, seen.withLock { $0 })
        }
        #expect(seen)
        #expect(throws: PolicyError<any Error>.self) { try result.get() }
        #expect(purse.spent == 0)
    }

    @Test("a cancelled call leaves an operation that ignores it, after the grace period, or waits for it")
    func stubborn() throws {
        for (losers, seconds) in [(Hedge.Losers.reaped(grace: .seconds(2)), 4.0), (.awaited, 60)] {
            let hedge = try Hedge(after: .fixed(.seconds(10)), budget: Purse(), losers: losers)
            let simulation = Simulation(seed: 1)
            try simulation.run {
                let service = Service(simulation, [Plan(seconds: 60, ignoresCancellation: true)])
                let began = simulation.time.now
                let task = simulation.start("caller") { await hedge.call(service, simulation) }
                try await simulation.time.sleep(for: .seconds(2))
                task.cancel()
                let result = try await task.value
                #expect(began.duration(to: simulation.time.now) == .seconds(seconds))
                if case .reaped = losers {
                    guard case .failure(.cancelled(nil)) = result else { throw Wrong(what: "\(result)") }
                } else {
                    #expect(result.winner == 1)  // it was done after all
                }
            }
            #expect(hedge.leftRunning == 0)
        }
    }

    @Test("whatever happens in whatever order: one winner, nothing left, and no attempt that was not paid for")
    func seeds() async throws {
        try await Simulation.check(seeds: 0..<4_000) { simulation in
            try await Self.chaos(simulation)
        }
    }

    /// Eight calls that share one budget, with attempts and cancellations left to chance.
    private static func chaos(_ simulation: Simulation) async throws {
        let random = simulation.random
        let purse = Purse(Int(random.next(through: 12)))
        let limit = 1 + Int(random.next(through: 2))
        let losers: Hedge.Losers = random.next(through: 1) == 0 ? .awaited : .reaped(grace: .seconds(1))
        let hedge = try Hedge(
            after: .fixed(.seconds(3)), upTo: limit, budget: purse,
            spareCapacity: { random.next(through: 5) > 0 }, losers: losers)
        var calls: [(service: Service, task: Task<Result<Int, PolicyError<Trouble>>, any Error>)] = []
        for _ in 0..<8 {
            let service = Service(simulation, (0...limit).map { _ in plan(random) })
            let step = random.next(through: 2) == 0 ? Int(random.next(through: 8)) : nil
            let task = simulation.start("caller", cancelledAtAwait: step) { await hedge.call(service, simulation) }
            calls.append((service, task))
        }
        var extra = 0
        for (service, task) in calls {
            let result = try await task.value
            try check(result, service, limit, losers)
            extra += service.started - 1
        }
        try require(extra == purse.spent, "\(extra) extra attempts, \(purse.books)")
        try require(purse.books.deposits == calls.count, "\(purse.books)")
        // Attempts that were left to themselves end by themselves.
        try await simulation.time.sleep(for: .seconds(60))
        try require(calls.allSatisfy { $0.service.running == 0 }, "an attempt runs for ever")
        try require(hedge.leftRunning == 0, "\(hedge.leftRunning) left running")
        try require(simulation.time.sleepers == 0, "an alarm is set")
    }

    /// Whole seconds, so that many things happen at one instant.
    private static func plan(_ random: RandomSource) -> Service.Plan {
        Plan(
            seconds: Double(random.next(through: 12)), succeeds: random.next(through: 3) > 0,
            ignoresCancellation: random.next(through: 7) == 0)
    }

    private static func check(
        _ result: Result<Int, PolicyError<Trouble>>, _ service: Service, _ limit: Int, _ losers: Hedge.Losers
    ) throws {
        let story = service.story
        try require(service.started <= limit + 1, "too many attempts: \(story)")
        if case .awaited = losers { try require(service.running == 0, "left: \(story)") }
        let first = story.first { $0.contains("succeeds") }.flatMap { Int($0.prefix(1)) }
        switch result {
        case .success(let winner): try require(winner == first, "\(winner) won: \(story)")
        case .failure(.operation(let trouble)):
            // One that was left behind may have succeeded since.
            try require(trouble.attempt == 1 && (first == nil || losers != .awaited), "\(trouble): \(story)")
        case .failure(.cancelled(nil)): try require(losers != .awaited, "it did not wait: \(story)")
        case .failure(let error): throw Wrong(what: "\(error)")
        }
    }

    private static func require(_ holds: Bool, _ what: @autoclosure () -> String) throws {
        if !holds { throw Wrong(what: what()) }
    }

    @Test("a cancelled call leaves an attempt that passes its answer on and ignores it, after the grace period")
    func committedAndReaped() throws {
        let hedge = try Hedge(
            after: .fixed(.seconds(3)), budget: Purse(), losers: .reaped(grace: .seconds(2)))
        let simulation = Simulation(seed: 1)
        let elapsed = try simulation.run {
            let began = simulation.time.now
            let call = simulation.start("caller") {
                try await hedge.run(twice, time: simulation.time) { attempt in
                    guard attempt.commit() else { return }
                    _ = await simulation.start("stubborn") { try await simulation.time.sleep(for: .seconds(60)) }.result
                }
            }
            try await simulation.time.sleep(for: .seconds(10))
            call.cancel()
            guard case .failure(let error) = await call.result, error is PolicyError<Never> else {
                throw Wrong(what: "not abandoned")
            }
            return began.duration(to: simulation.time.now)
        }
        #expect(elapsed == .seconds(12))
        #expect(hedge.leftRunning == 0, "it ended with the simulation")
    }

    @Test("the earlier of two deadlines counts")
    func earlierDeadline() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: purse)
        let simulation = Simulation(seed: 1)
        let context = CallContext(deadline: simulation.time.now.advanced(by: .seconds(2)))
        let seen = try simulation.run {
            try await context.bound { () async throws in
                try await hedge.run(twice, deadline: .distantFuture, time: simulation.time) { attempt in
                    try await simulation.time.sleep(for: .seconds(5))
                    return (attempt.deadline, CallContext.current?.deadline)
                }
            }.get()
        }
        #expect(seen.0 == context.deadline && seen.1 == context.deadline)
        #expect(purse.spent == 0)
    }
}
