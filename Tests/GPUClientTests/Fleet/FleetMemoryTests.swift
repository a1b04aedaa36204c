import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// What replicas are thought to keep of prompts, and are found not to.
extension FleetTroubleTests {
    /// 8,000 tokens.
    private var long: Prefix { beginning(500) }

    private func beginning(_ blocks: Int) -> Prefix {
        Prefix(blocks: (0..<UInt64(blocks)).map { 1_000 + $0 }, tokensPerBlock: 16, tokens: blocks * 16)
    }

    private var longCall: Call {
        Call(tokens: .estimate(input: 8_000, maxOutput: 10), idempotency: .idempotent, streams: true)
    }

    /// Has the prompt computed at `name`, after `first` seconds.
    private func compute(
        _ prefix: Prefix, _ fleet: Fleet, at name: String, from second: Double = 0, first: Double = 0.1
    ) throws {
        let others = fleet.members.map(\.name).filter { $0 != name }
        let place = try fleet.place(longCall, prefix: prefix, avoiding: others, at: after(second))
        place.firstToken(at: after(second + first))
        place.settle(.success, at: after(second + first + 0.1))
    }

    /// What a replica is thought to have of the prompt.
    private func cached(_ prefix: Prefix, _ fleet: Fleet, at name: String, at second: Double) throws -> Int {
        let others = fleet.members.map(\.name).filter { $0 != name }
        return try fleet.place(longCall, prefix: prefix, avoiding: others, at: after(second)).cachedTokens
    }

    @Test(arguments: [Outcome.neutral(.rateLimited), .failure(.connect), .failure(.serverError)])
    func whatWasRefusedIsNotThoughtToBeKept(outcome: Outcome) throws {
        let fleet = try fleet(2)
        try compute(beginning(100), fleet, at: "gpu-0")
        let place = try fleet.place(longCall, prefix: long, avoiding: ["gpu-1"], at: after(1))
        #expect(place.cachedTokens == 1_600)
        place.settle(outcome, at: after(1.01))
        #expect(try cached(long, fleet, at: "gpu-0", at: 100) == 1_600, "what was there before stays")
    }

    @Test func whatAnotherCallUsedSinceStays() throws {
        let fleet = try fleet(2)
        let first = FleetTests.Box(try fleet.place(longCall, prefix: long, avoiding: ["gpu-1"], at: after(1)))
        try compute(long, fleet, at: "gpu-0", from: 1)
        first.placement.take()?.settle(.failure(.serverError), at: after(2))
        #expect(try cached(long, fleet, at: "gpu-0", at: 100) == 7_999)
    }

    @Test func aWholeAnswerThatFailedLateMayHaveBeenComputed() throws {
        let whole = Call(tokens: .estimate(input: 8_000, maxOutput: 10), idempotency: .idempotent)
        for (outcome, kept) in [(Outcome.neutral(.contentFiltered), 7_999), (.neutral(.rateLimited), 0)] {
            let fleet = try fleet(2)
            try fleet.place(whole, prefix: long, avoiding: ["gpu-1"], at: after(1)).settle(outcome, at: after(9))
            #expect(try cached(long, fleet, at: "gpu-0", at: 100) == kept)
        }
    }

    @Test func whatWasCutOffMayHaveBeenComputed() throws {
        let fleet = try fleet(2)
        try fleet.place(longCall, prefix: long, avoiding: ["gpu-1"], at: after(1)).settle(
            .neutral(.cancelled), at: after(9))
        #expect(try cached(long, fleet, at: "gpu-0", at: 10) == 7_999)
    }

    @Test func whoWasDeadOrBeganAnewHasNothingAnyMore() throws {
        for isDead in [true, false] {
            let fleet = try fleet(2) { $0.health = .init() }
            try heal(fleet, at: after(0))
            try compute(long, fleet, at: "gpu-0")
            let health = try #require(fleet.health(of: "gpu-0"))
            if isDead { health.declareDead(at: after(1)) } else { health.restart(at: after(1)) }
            for second in 2..<120 {
                let now = after(Double(second))
                guard let probe = health.beginProbe(at: now) else { continue }
                health.probed(
                    probe, probe.kind == .liveness ? .alive : .generated(firstToken: .milliseconds(5)), at: now)
            }
            try #require(health.phase == .ready)
            #expect(try cached(long, fleet, at: "gpu-0", at: 200) == 0)
            #expect(try cached(long, fleet, at: "gpu-0", at: 201) > 0, "and is thought to have what it was sent since")
        }
    }

    @Test func whoseCountersFallHasBegunAnew() throws {
        let fleet = try fleet(2)
        try compute(long, fleet, at: "gpu-0")
        fleet.report(EngineLoad(at: after(1), prefixQueries: 8_000, prefixHits: 0), from: "gpu-0")
        #expect(try cached(long, fleet, at: "gpu-0", at: 1) > 0)
        fleet.report(EngineLoad(at: after(2), prefixQueries: 100, prefixHits: 0), from: "gpu-0")
        #expect(try cached(long, fleet, at: "gpu-0", at: 2) == 0)
    }

    /// Calls with one prompt, whose engine says after each how much it has found so far.
    private func ask(_ count: Int, _ fleet: Fleet, from second: Int, hits: (Int) -> Int64) throws {
        for number in 0..<count {
            let second = Double(second + number)
            try compute(long, fleet, at: "gpu-0", from: second)
            fleet.report(EngineLoad(at: after(second + 0.5), prefixHits: hits(number)), from: "gpu-0")
        }
    }

    @Test func anEngineThatFindsNothingIsNotBelievedToKeepAnything() throws {
        let fleet = try fleet(2)
        try ask(40, fleet, from: 0) { _ in 5 }
        #expect(try cached(long, fleet, at: "gpu-0", at: 100) == 0)
        // It is switched on.
        try ask(40, fleet, from: 200) { 5 + Int64($0) * 7_000 }
        #expect(try cached(long, fleet, at: "gpu-0", at: 300) == 7_999)
    }

    @Test func anEngineThatFindsLittleOrCountsAtOtherTimesIsBelieved() throws {
        // It counts blocks; it counts all at the beginning; it had counted before its page could be read.
        for hits in [{ Int64($0) * 500 }, { _ in 400_000 }, { 9_000_000 + Int64($0) * 8_000 }] as [(Int) -> Int64] {
            let fleet = try fleet(2)
            fleet.report(EngineLoad(at: after(0), prefixHits: 0), from: "gpu-0")
            try ask(60, fleet, from: 1, hits: hits)
            #expect(try cached(long, fleet, at: "gpu-0", at: 100) == 7_999)
        }
        let fleet = try fleet(2)
        for number in 0..<200 { try compute(long, fleet, at: "gpu-0", from: Double(number)) }
        fleet.report(EngineLoad(at: after(300), prefixHits: 1_000_000), from: "gpu-0")
        fleet.report(EngineLoad(at: after(301), prefixHits: 1_000_000), from: "gpu-0")
        #expect(try cached(long, fleet, at: "gpu-0", at: 302) == 7_999, "nothing was predicted between the pages")
    }

    @Test func whatIsLargerThanTheMemoryNeedsAnotherWindow() throws {
        let fleet = try fleet(2, kv: 10_000) { $0.memory = 0.9 }
        func reason(_ tokens: Int) -> Reason? {
            do {
                try fleet.place(call(tokens), at: after(1)).settle(.success, at: after(1))
                return nil
            } catch { return error.reason }
        }
        #expect(reason(8_800) == nil && reason(9_000) == .windowTooSmall)
        let open = FleetTests.Box(try fleet.place(call(8_000), at: after(2)))
        let other = FleetTests.Box(try fleet.place(call(8_000), at: after(2)))
        #expect(reason(8_800) == .memoryFull, "there it is a matter of time")
        withExtendedLifetime((open, other)) {}
    }
}
