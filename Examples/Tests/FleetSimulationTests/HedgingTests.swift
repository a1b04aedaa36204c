import Foundation
import Spillway
import Testing

@testable import FleetSimulation

@Suite("Hedging")
struct HedgingTests {
    private static let logNormal = SlowService.all.dropFirst().map { $0 }
    private static let small = HedgingSettings(calls: 8_000)

    private func rows(_ policies: [HedgingPolicy], _ services: [SlowService]) async throws -> [HedgingStudy.Part] {
        try await HedgingStudy.run(
            policies, services, storm: StormSettings(ticks: 30), seeds: 1..<3
        ).parts
    }

    @Test("at the 95th percentile one call in twenty is hedged, to within half a point")
    func rate() async throws {
        for part in try await rows([.quantile], Self.logNormal) {
            for row in part.rows {
                #expect(abs(row.hedged.mean - 5) <= 0.5, "\(part.service.name), \(row.policy): \(row.hedged.mean) %")
            }
        }
    }

    @Test("the 99th percentile is near the best that the budget allows, for every service")
    func tail() async throws {
        for part in try await rows([.shortest], SlowService.all) {
            let row = try #require(part.rows.first)
            let ratio = row.tail.mean / part.best.seconds
            #expect(ratio <= 1.15, "\(part.service.name): \(ratio)")
            #expect(row.hedged.mean <= 5.2, "\(part.service.name): \(row.hedged.mean) %")
        }
    }

    @Test("with the times of winners alone the rate is more than twice its target where times vary")
    func winners() async throws {
        let part = try #require(try await rows([.winnersUnbounded, .winners], [.logNormal(sigma: 1.5)]).first)
        #expect(part.rows[0].hedged.mean > 10)
        // A budget holds the rate, and spends it on calls that are not the slowest.
        #expect(part.rows[1].hedged.mean <= 5.2 && part.rows[1].tail.mean > 1.2 * part.best.seconds)
    }

    @Test("without hedges nothing is lost, and each call takes what its first attempt takes")
    func none() throws {
        let trace = HedgingTrace(.twoOrTwenty, Self.small, seed: 3)
        let run = try HedgingRun(trace, .none, Self.small)
        #expect(run.hedged == 0 && run.median == 2 && run.tail == 20)
        #expect(abs(run.lost) < 1e-6 && abs(run.work - 100) < 1e-6)
    }

    @Test("a loser's work counts until it is cancelled")
    func lost() throws {
        // Every call of twenty seconds is hedged at three and answered at five: 5 s are lost, 2 s are useful.
        let settings = HedgingSettings(calls: 1_000, share: 1)
        let trace = HedgingTrace(seed: 1, arrivals: (0..<1_000).map { _ in .init(gap: 1, attempts: [20, 2]) })
        let run = try HedgingRun(trace, .guess, settings)
        #expect(run.hedged == 100 && abs(run.tail - 5) < 1e-6)
        #expect(abs(run.lost - 100 * 5 / 7) < 1e-6 && abs(run.work - 100 * 7 / 20) < 1e-6)
    }

    @Test("the same seed gives the same result")
    func same() throws {
        func run(_ seed: UInt64) throws -> HedgingRun {
            try HedgingRun(HedgingTrace(.logNormal(sigma: 1), Self.small, seed: seed), .shortest, Self.small)
        }
        #expect(try run(4) == run(4))
        #expect(try run(4) != run(5))
    }

    @Test("the computed best: twice two seconds, and no policy that keeps the budget is better")
    func best() async throws {
        #expect(abs(BestTail(of: .twoOrTwenty, quantile: 0.99, hedging: 0.05).seconds - 4) < 1e-5)
        // With no hedges, the quantile of the service; with all of them at once, that of the faster of two.
        let service = SlowService.logNormal(sigma: 1)
        #expect(abs(BestTail(of: service, quantile: 0.99, hedging: 0).seconds - exp(2.326348)) < 1e-4)
        #expect(abs(BestTail(of: service, quantile: 0.99, hedging: 1).seconds - exp(1.281552)) < 1e-4)
        for part in try await rows([.none, .shortest], [.twoOrTwenty]) {
            #expect(part.rows.allSatisfy { $0.tail.mean >= part.best.seconds - 1e-6 })
        }
    }
}

@Suite("Waits")
struct WaitTests {
    @Test("one copy each is naive retry, call for call", arguments: 1...3 as ClosedRange<UInt64>)
    func naive(seed: UInt64) throws {
        let settings = StormSettings(ticks: 300)
        let fleet = StormFleet(settings, seed: seed, dice: SlotDice(seed: seed))
        let requests = RequestQueue(copies: 1).serve(fleet)
        #expect(try NaiveRetry().result(settings, seed: seed) == fleet.result)
        #expect(requests.count { $0.served != nil } == fleet.result.goodByTick.reduce(0, +))
        #expect(requests.allSatisfy { ($0.served ?? .max) >= $0.arrived })
    }

    @Test("with slots to spare copies shorten the wait in the outage; without, fewer are served, then and after")
    func load() async throws {
        let study = try await WaitStudy.run(StormSettings(ticks: 900), seeds: 1..<3)
        func waits(_ arrivals: Int, _ isHedged: Bool, _ period: WaitStudy.Period) throws -> Waits {
            try #require(study.row(arrivals, hedged: isHedged, period)).waits
        }
        #expect(try waits(20, true, .during).mean < 0.8 * waits(20, false, .during).mean)
        #expect(try waits(20, true, .during).lost == 0)
        #expect(try waits(72, true, .during).mean > waits(72, false, .during).mean)
        #expect(try waits(72, true, .during).lost > waits(72, false, .during).lost)
        #expect(try waits(72, true, .after).lost > 20 && waits(72, false, .after).lost == 0)
    }

    @Test("waits are counted in ticks, and those that gave up apart")
    func counts() {
        var waits = Waits()
        for wait in [0, 0, 0, 1, 4] { waits.count(.init(arrived: 10, served: 10 + wait)) }
        waits.count(.init(arrived: 10, served: nil))
        #expect(waits.mean == 1 && waits.quantile(0.6) == 0 && waits.quantile(0.8) == 1 && waits.quantile(0.99) == 4)
        #expect(waits.beyondOneTick == 20 && abs(waits.lost - 100 / 6) < 1e-9)
        #expect(Waits().mean == 0 && Waits().lost == 0 && Waits().quantile(0.99) == 0)
    }
}
