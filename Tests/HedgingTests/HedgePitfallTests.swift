import Hedging
import SpillwayCore
import SpillwayTesting
import Testing

/// Faults that hedging elsewhere has had, one test each. (The rate is in `HedgeRateTests`.)
@Suite struct HedgePitfallTests {
    private typealias Plan = Service.Plan

    private func run(
        _ hedge: Hedge, _ plans: [Service.Plan]
    ) throws -> (result: Result<Int, PolicyError<Trouble>>, seconds: Double, running: Int, left: Int, atEnd: Int) {
        let simulation = Simulation(seed: 7)
        let service = Service(simulation, plans)
        let run = try simulation.run {
            let began = simulation.time.now
            let result = await hedge.call(service, simulation)
            let seconds = began.duration(to: simulation.time.now) / .seconds(1)
            return (result, seconds, service.running, hedge.leftRunning)
        }
        return (run.0, run.1, run.2, run.3, service.running + hedge.leftRunning)
    }

    @Test("a first failure does not beat a pending success")
    func failureDoesNotWin() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: Purse())
        let primary = try run(hedge, [Plan(seconds: 4, succeeds: false), Plan(seconds: 2)])
        #expect(primary.result.winner == 2)
        #expect(primary.seconds == 5)
        let secondary = try run(hedge, [Plan(seconds: 20), Plan(seconds: 2, succeeds: false)])
        #expect(secondary.result.winner == 1)
        #expect(secondary.seconds == 20)
    }

    @Test("when all fail, the call fails with the error of the first attempt, as soon as the last has failed")
    func allFail() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), upTo: 2, budget: Purse())
        let fails = Plan(seconds: 4, succeeds: false)
        let run = try run(hedge, [fails, fails, fails])
        #expect(run.result.failed == 1)
        #expect(run.seconds == 10)  // the third began at 6, while the second still ran
        #expect(run.running == 0)
    }

    @Test("a failure before the delay starts no hedge and waits for none")
    func earlyFailure() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: purse)
        let run = try run(hedge, [Plan(seconds: 1, succeeds: false), Plan(seconds: 1)])
        #expect(run.result.failed == 1)
        #expect(run.seconds == 1)
        #expect(purse.spent == 0)
    }

    @Test("a throttled hedge with a failed first attempt does not hang")
    func throttled() throws {
        let purse = Purse(0)
        let hedge = try Hedge(after: .fixed(.seconds(3)), upTo: 3, budget: purse)
        let run = try run(hedge, [Plan(seconds: 10, succeeds: false)])
        #expect(run.result.failed == 1)
        #expect(run.seconds == 10)
        #expect(purse.books == .init(deposits: 1, refused: 1))
    }

    @Test("a loser that ignores cancellation for 120 s is awaited only where the caller chose so")
    func stubbornLoser() throws {
        let stubborn = Plan(seconds: 120, ignoresCancellation: true)
        let awaited = try run(Hedge(after: .fixed(.seconds(3)), budget: Purse()), [stubborn, Plan(seconds: 2)])
        #expect(awaited.result.winner == 2)
        #expect(awaited.seconds == 120)
        #expect(awaited.running == 0)
        let reaped = try run(
            Hedge(after: .fixed(.seconds(3)), budget: Purse(), losers: .reaped(grace: .seconds(1))),
            [stubborn, Plan(seconds: 2)])
        #expect(reaped.result.winner == 2)
        #expect(reaped.seconds == 6)
        #expect((reaped.running, reaped.left) == (1, 1))
        #expect(reaped.atEnd == 0)  // it ran on by itself, and was counted out
        let atOnce = try run(
            Hedge(after: .fixed(.seconds(3)), budget: Purse(), losers: .reaped(grace: .zero)),
            [stubborn, Plan(seconds: 2)])
        #expect(atOnce.seconds == 5)
    }

    @Test("a loser that ends when cancelled is not waited for any longer than that, nor left behind")
    func politeLoser() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: Purse(), losers: .reaped(grace: .seconds(60)))
        let run = try run(hedge, [Plan(seconds: 120), Plan(seconds: 2)])
        #expect(run.seconds == 5)
        #expect((run.running, run.left) == (0, 0))
    }

    @Test("what a loser costs is known: every attempt comes to an end of its own, and its time is counted as cut short")
    func losersAreSettled() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(60), minimum: 1))
        let hedge = try Hedge(after: .quantile(0.5, of: histogram, initially: .seconds(3)), budget: Purse())
        let simulation = Simulation(seed: 1)
        let service = Service(simulation, [Plan(seconds: 20), Plan(seconds: 2)])
        try simulation.run {
            _ = await hedge.call(service, simulation)
            let now = simulation.time.now
            #expect(histogram.quantile(0.5, at: now) == nil)  // one call, cut short after 5 s: nothing has ended
            histogram.record(.seconds(1), at: now)
            #expect(histogram.quantile(0.5, at: now)?.rounded == 1)
            #expect(histogram.quantile(0.6, at: now)?.rounded == 5)
        }
        #expect(service.story.last == "1 cancelled 5.0")
    }

    @Test("no hedge while nothing is known, and never one at once for all")
    func beforeEnoughData() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .quantile(0.95), budget: purse)
        #expect(try run(hedge, [Plan(seconds: 20)]).seconds == 20)
        #expect(purse.spent == 0)
        // Calls that take no time at all: the quantile is the end of the first bucket, and the delay not below its bound.
        for _ in 0..<1_000 { hedge.histogram?.record(.zero, at: at(2)) }
        let progress = hedge.begin(twice, at: at(2))
        #expect(progress.due == at(2.001))
        let initially = try Hedge(after: .quantile(0.95, initially: .seconds(3)), budget: purse)
        #expect(try run(initially, [Plan(seconds: 20), Plan(seconds: 1)]).seconds == 4)
    }

    @Test("an outage of fast failures does not teach it that the service is fast")
    func fastFailures() throws {
        let hedge = try Hedge(after: .quantile(0.95), budget: Purse())
        let histogram = try #require(hedge.histogram)
        for _ in 0..<1_000 { histogram.record(.seconds(2), at: at(1)) }
        for _ in 0..<100_000 { histogram.recordCensored(.milliseconds(5), at: at(2)) }
        let due = try #require(hedge.begin(twice, at: at(3)).due)
        #expect(due >= at(5) && due <= at(5.02))
    }
}

extension Duration {
    /// Whole seconds.
    fileprivate var rounded: Int { Int((self / .seconds(1)).rounded()) }
}
