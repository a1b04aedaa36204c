import Testing

@testable import FleetSimulation

@Suite("Retry storm")
struct StormTests {
    @Test("the textbook's run is repeated to the last call")
    func published() throws {
        let naive = try NaiveRetry().asPublished(seed: 1)
        #expect(naive.wasted == 58_319)
        #expect(Cells.number(naive.goodput, 1) == "84.9")
        let breaker = try TextbookBreaker().asPublished(seed: 1)
        #expect(breaker.wasted == 5_094)
        #expect(Cells.number(breaker.goodput, 1) == "84.4")
    }

    @Test(
        "no policy is better than the oracle, but for those who wait at the end",
        arguments: 1...2 as ClosedRange<UInt64>)
    func ceiling(seed: UInt64) throws {
        let oracle = try Oracle().result(seed: seed)
        for policy in StormPolicies.all {
            let result = try policy.result(seed: seed)
            #expect(result.goodput <= oracle.goodput + 0.05, "\(policy.name)")
            #expect(Double(result.wasted) > 0.98 * Double(oracle.wasted), "\(policy.name)")
        }
    }

    @Test("the breaker wastes least and serves a little less than naive retry; hedging is worst", arguments: [1, 2, 3])
    func order(seed: UInt64) throws {
        let naive = try NaiveRetry().result(seed: seed)
        let breaker = try TextbookBreaker().result(seed: seed)
        let hedged = try HedgedRetry().result(seed: seed)
        #expect(breaker.wasted < naive.wasted && naive.wasted < hedged.wasted)
        #expect(breaker.goodput < naive.goodput)
        #expect(hedged.goodputInOutage < breaker.goodputInOutage)
        #expect(hedged.goodputOutside < naive.goodputOutside)
    }

    @Test("the production policy is within 0.15 points of the ceiling and 2 % of the floor")
    func production() async throws {
        let study = try await StormStudy.run([SpillwayPolicy()], seeds: 1..<9)
        let row = try #require(study.rows.first)
        #expect(row.goodput.mean > study.ceiling.mean - 0.15, "\(row.goodput.mean) of \(study.ceiling.mean)")
        #expect(row.wasted.mean < 1.02 * study.floor.mean, "\(row.wasted.mean) of \(study.floor.mean)")
    }

    @Test("the production policy gives the same result for a seed")
    func repeatable() throws {
        let settings = StormSettings(ticks: 300)
        let result = try SpillwayPolicy().result(settings, seed: 4)
        #expect(try SpillwayPolicy().result(settings, seed: 4) == result)
        #expect(try SpillwayPolicy().result(settings, seed: 5) != result)
    }

    @Test("slots that two policies both use have the same fate")
    func fate() throws {
        // One slot a replica and no choice: all policies use the same slots in healthy ticks.
        let settings = StormSettings(
            ticks: 300, replicas: 4, slotsPerReplica: 1, arrivals: 4, sickReplicas: 0, success: 0.5)
        let naive = try NaiveRetry().result(settings, seed: 5)
        #expect(try Oracle().result(settings, seed: 5) == naive)
        #expect(naive.wasted > 0)
    }

    @Test("a duplicate that was not needed is a wasted call")
    func superfluous() throws {
        let settings = StormSettings(
            ticks: 2, replicas: 2, slotsPerReplica: 1, arrivals: 3, sickReplicas: 0, success: 1)
        let result = try HedgedRetry().result(settings, seed: 1)
        #expect(result.goodByTick == [2, 1])
        #expect(result.wastedByTick == [0, 1])
    }

    @Test("with one replica left there is only one copy, and a request needs but one of two")
    func copies() throws {
        let lone = StormSettings(ticks: 2, replicas: 1, slotsPerReplica: 1, arrivals: 2, sickReplicas: 0, success: 1)
        #expect(try HedgedRetry().result(lone, seed: 1).wasted == 0)
        // From the outage on replica 0 fails: a pair wastes one call and serves one request.
        let pair = StormSettings(ticks: 6, replicas: 2, slotsPerReplica: 1, arrivals: 3, sickReplicas: 1, success: 1)
        let result = try HedgedRetry().result(pair, seed: 1)
        #expect(result.goodByTick[3] == 1 && result.wastedByTick[3] == 1)
    }

    @Test("those who wait give up when they are too many")
    func patience() throws {
        // Nobody is served for 100 ticks, then everybody could be: 4 ticks' worth are still there.
        let settings = StormSettings(
            ticks: 300, replicas: 1, slotsPerReplica: 1_000, arrivals: 10, sickReplicas: 1, success: 1)
        let result = try NaiveRetry().result(settings, seed: 1)
        #expect(result.wastedByTick[199] == 50)
        #expect(result.goodByTick[200] == 50)
        #expect(result.goodByTick[201] == 10)
    }

    @Test("a fleet ends after its last tick, and slots come back with each")
    func ticks() throws {
        let settings = StormSettings(
            ticks: 2, replicas: 1, slotsPerReplica: 2, arrivals: 1, sickReplicas: 0, success: 1)
        let fleet = StormFleet(settings, seed: 1, dice: SlotDice(seed: 1))
        #expect(fleet.tick == -1 && fleet.slotsLeft(0) == 0)
        #expect(fleet.nextTick() == 0)
        #expect(fleet.attempt(on: 0))
        #expect(fleet.slotsLeft(0) == 1)
        #expect(fleet.nextTick() == 1)
        #expect(fleet.slotsLeft(0) == 2)
        #expect(fleet.nextTick() == nil)
        #expect(fleet.tick == 1)
        #expect(fleet.result.goodput == 50)
    }
}
