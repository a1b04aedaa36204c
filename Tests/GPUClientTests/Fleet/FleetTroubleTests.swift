import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// What engines, clocks and callers do that they should not.
@Suite struct FleetTroubleTests {
    func after(_ seconds: Double) -> Instant { FleetTests.start.advanced(by: .seconds(seconds)) }

    func fleet(
        _ count: Int, kv: Int? = nil, _ change: (inout Fleet.Configuration) -> Void = { _ in }
    ) throws -> Fleet {
        let members = (0..<count).map { number in
            var member = Member("gpu-\(number)", address: "10.0.0.\(number):8000", zone: number == 0 ? "a" : "b")
            member.kvTokens = kv
            return member
        }
        return try Fleet("llama", .init(change), members: members, at: FleetTests.start, random: .seeded(1))
    }

    func call(_ input: Int = 1_000, streams: Bool = true) -> Call {
        Call(tokens: .estimate(input: input, maxOutput: 100), idempotency: .idempotent, streams: streams)
    }

    /// Makes every replica ready.
    func heal(_ fleet: Fleet, at now: Instant) throws {
        for member in fleet.members {
            let health = try #require(fleet.health(of: member.name)), probe = try #require(health.beginProbe(at: now))
            health.probed(probe, .generated(firstToken: .milliseconds(5)), at: now)
        }
    }

    func names(_ fleet: Fleet, _ count: Int, at now: Instant) throws -> [String: Int] {
        var names: [String: Int] = [:]
        for _ in 0..<count {
            let place = try fleet.place(call(), at: now)
            names[place.member.name, default: 0] += 1
        }
        return names
    }

    @Test func enginesThatSayWhatCannotBeHarmNobody() throws {
        let fleet = try fleet(2) { $0.memory = 1 }
        for load in [
            EngineLoad(at: after(0), waiting: .max, running: .max, kvUse: 1, blockSize: .max, blocks: .max),
            EngineLoad(at: after(1), waiting: 1_000_000_000, running: 1_000_000_000, kvUse: 0, blockSize: 1_000_000),
            EngineLoad(at: after(2), blocks: 1_000_000_000_000),
        ] {
            fleet.report(load, from: "gpu-0")
            _ = load.freeBlocks
            _ = try names(fleet, 10, at: after(2))
        }
    }

    @Test func aReplicaWhoseStreamsBreakOffAfterTheirBeginningGetsNoMoreCalls() throws {
        let fleet = try fleet(2) { $0.health = .init() }
        try heal(fleet, at: after(0))
        var broken = 0
        for second in 1...200 {
            let now = after(Double(second)), place = try fleet.place(call(), at: now)
            place.firstToken(at: now)
            if place.member.name == "gpu-0" {
                broken += 1
                place.settle(.failure(.truncated), at: now.advanced(by: .milliseconds(500)))
            } else {
                place.settle(.success, at: now.advanced(by: .milliseconds(500)))
            }
        }
        #expect(broken == 3)
        #expect(fleet.standings(at: after(201)).map(\.phase) == [.degraded, .ready])
    }

    @Test func memoryThatNobodySpeaksOfAnyMoreCountsAsFree() throws {
        let fleet = try fleet(1, kv: 10_000) { $0.memory = 1 }
        fleet.report(EngineLoad(at: after(0), kvUse: 0.995), from: "gpu-0")
        #expect(throws: Rejection.self) { _ = try fleet.admit(call(), at: after(1)) }
        _ = try fleet.admit(call(), at: after(11))
    }

    @Test func callsThatWaitHaveNoMemoryYetButWillNeedIt() throws {
        let fleet = try fleet(1, kv: 11_000) { $0.memory = 1 }
        var open: [FleetTests.Box] = []
        for _ in 0..<9 { try open.append(FleetTests.Box(fleet.place(call(), at: after(0)))) }
        // The engine works on four of them.
        for box in open.prefix(4) { box.firstToken(at: after(1)) }
        fleet.report(EngineLoad(at: after(1), waiting: 5, running: 4, kvUse: 0.4), from: "gpu-0")
        #expect(throws: Rejection.self) { _ = try fleet.admit(call(2_000), at: after(1)) }
    }

    @Test func wholeAnswersAreNoQueue() throws {
        let fleet = try fleet(3) { $0.queueAge = .seconds(2) }
        var open: [FleetTests.Box] = []
        for _ in 0..<3 { try open.append(FleetTests.Box(fleet.place(call(streams: false), at: after(0)))) }
        _ = try fleet.admit(call(), at: after(60))
        for box in open { box.placement.take()?.settle(.success, usage: Usage(input: 1_000, output: 1), at: after(61)) }
        #expect(fleet.standings(at: after(61)).allSatisfy { $0.tokensPerSecond ?? 0 > 10 }, "their pace is learnt")
    }

    @Test func aFarReplicaHelpsBeforeAnythingIsKnown() throws {
        let fleet = try fleet(4) { $0.zone = "a" }
        var open: [FleetTests.Box] = [], names: Set<String> = []
        for _ in 0..<200 {
            try open.append(FleetTests.Box(fleet.place(call(), at: after(0))))
            names.insert(open[open.count - 1].name)
        }
        #expect(names.count == 4)
    }

    @Test func whatIsVetoedGetsNothing() throws {
        let fleet = try fleet(3) { $0.health = .init() }
        try heal(fleet, at: after(0))
        for name in ["gpu-0", "gpu-1"] {
            fleet.health(of: name)?.veto(HealthVeto(.device, "XID 79"), at: after(100))
        }
        #expect(try names(fleet, 30, at: after(101)) == ["gpu-2": 30])
        fleet.health(of: "gpu-2")?.veto(HealthVeto(.device, "XID 79"), at: after(102))
        #expect(throws: Rejection.self) { try names(fleet, 1, at: after(103)) }
    }

    @Test func theSickAreNotAskedBecauseTheWellAreFull() throws {
        let fleet = try fleet(4, kv: 2_500) {
            $0.health = .init()
            $0.memory = 1
        }
        try heal(fleet, at: after(0))
        let hung = try fleet.place(call(), avoiding: ["gpu-1", "gpu-2", "gpu-3"], at: after(100))
        hung.hung(at: after(101))
        hung.settle(.failure(.timeout), at: after(101))
        var open: [FleetTests.Box] = []
        for _ in 0..<6 { try open.append(FleetTests.Box(fleet.place(call(), at: after(102)))) }
        #expect(open.allSatisfy { $0.name != "gpu-0" })
        #expect(throws: Rejection.self) { try names(fleet, 1, at: after(102)) }
    }

    @Test func aClockThatGoesBackTeachesNothing() throws {
        let fleet = try fleet(4)
        let place = try fleet.place(call(), at: after(100))
        place.firstToken(at: after(0))
        place.settle(.success, usage: Usage(input: 1_000, output: 50), at: after(-100))
        var open: [FleetTests.Box] = []
        for _ in 0..<200 { try open.append(FleetTests.Box(fleet.place(call(), at: after(1)))) }
        #expect(fleet.standings(at: after(1)).allSatisfy { $0.calls >= 20 })
    }

    @Test func aSlowReplicaIsKnownForSlowAndForgivenInTime() throws {
        let fleet = try fleet(2)
        func serve(_ name: String, _ seconds: Double, _ count: Int) throws {
            for _ in 0..<count {
                let place = try fleet.place(call(), avoiding: [name == "gpu-0" ? "gpu-1" : "gpu-0"], at: after(0))
                place.firstToken(at: after(seconds))
                place.settle(.success, at: after(seconds))
            }
        }
        try serve("gpu-1", 0.1, 300)
        try serve("gpu-0", 1, 300)
        let standing = try #require(fleet.standings(at: after(0)).first { $0.member.name == "gpu-0" })
        #expect(abs(try #require(standing.tokensPerSecond) - 1_000) < 50)
        #expect(try names(fleet, 100, at: after(0))["gpu-1"] ?? 0 > 95)
        // It gets none now; what is known of it fades.
        try serve("gpu-1", 60, 1)
        #expect(try names(fleet, 100, at: after(60))["gpu-0"] ?? 0 > 20)
    }

    @Test func anUnknownPriceIsNotFree() throws {
        var members = [Member("priced", address: "a"), Member("unpriced", address: "b")]
        members[0].costPerHour = 0.5
        let fleet = try Fleet(
            "llama", .init { $0.objective = .seconds(60) }, members: members, at: FleetTests.start, random: .seeded(1))
        for name in ["priced", "unpriced"] {
            let place = try fleet.place(call(), avoiding: [name], at: after(0))
            place.firstToken(at: after(0.1))
            place.settle(.success, at: after(0.2))
        }
        #expect(try names(fleet, 100, at: after(1))["priced"] ?? 0 >= 50)
    }

    @Test func allMembersMayBeReplaced() throws {
        let old = (0..<150).map { Member("gpu-\($0)", address: "\($0)", version: ModelVersion(1, 0, 0)) }
        let new = (0..<150).map { Member("gpu-\($0)", address: "\($0)", version: ModelVersion(2, 0, 0)) }
        let fleet = try Fleet("llama", members: old, at: FleetTests.start)
        try fleet.update(new, at: after(1))
        #expect(fleet.members.allSatisfy { $0.version == ModelVersion(2, 0, 0) } && fleet.members.count == 150)
    }

    @Test func turnsAreFairWhereSomeAreMissing() throws {
        let fleet = try fleet(4) { $0.rule = .roundRobin }
        var counts: [String: Int] = [:]
        for _ in 0..<300 {
            let place = try fleet.place(call(), avoiding: ["gpu-1"], at: after(0))
            counts[place.member.name, default: 0] += 1
        }
        #expect(counts == ["gpu-0": 100, "gpu-2": 100, "gpu-3": 100])
    }

    @Test func aPromptThatIsLongerThanItsCallSaysDoesNotFitEither() throws {
        var member = Member("a", address: "a")
        member.window = 4_096
        let fleet = try Fleet("llama", members: [member], at: FleetTests.start)
        #expect(throws: Rejection.self) {
            FleetTests.keep(try fleet.place(Call(), prefix: .unknown(tokens: 100_000), at: after(0)))
        }
    }

    @Test func aReportOfADrainNeverEndsBeforeItBegan() throws {
        let fleet = try fleet(1) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let box = try FleetTests.Box(fleet.place(call(), at: after(10)))
        let health = try #require(fleet.health(of: "gpu-0"))
        health.drain(deadline: after(100), at: after(60))
        box.placement = nil
        #expect(try #require(health.streams.drainReport?.ended) >= after(60))
    }

    @Test func whoIsSilentUntilItsCallersGiveUpIsThoughtSlow() throws {
        // Nobody says that a call hangs, and there are no health checks.
        let fleet = try fleet(8)
        var silent = 0
        for number in 0..<2_000 {
            let now = after(1 + Double(number) / 10), place = try fleet.place(call(), at: now)
            if place.member.name == "gpu-3" {
                silent += 1
                place.settle(.neutral(.cancelled), at: now.advanced(by: .seconds(5)))
            } else {
                place.firstToken(at: now.advanced(by: .milliseconds(20)))
                place.settle(.success, at: now.advanced(by: .milliseconds(400)))
            }
        }
        #expect(silent < 60, "a fair share is 250")
    }

    @Test func withoutHealthChecksThreeThatHangMakeAReplicaRest() throws {
        let fleet = try fleet(2)
        for second in 1...3 {
            let place = try fleet.place(call(), avoiding: ["gpu-1"], at: after(Double(second)))
            place.hung(at: after(Double(second) + 0.5))
            place.settle(.neutral(.timeout), at: after(Double(second) + 0.5))
        }
        #expect(try names(fleet, 10, at: after(3.6)) == ["gpu-1": 10])
    }

    @Test func theFirstCallsOfManyClientsGoToDifferentReplicas() throws {
        for rule in FleetRule.allCases {
            var names: Set<String> = []
            for seed in 1...64 as ClosedRange<UInt64> {
                let members = (0..<8).map { Member("gpu-\($0)", address: "10.0.0.\($0):8000") }
                let fleet = try Fleet(
                    "one", .init { $0.rule = rule }, members: members, at: after(0), random: .seeded(seed))
                names.insert(try fleet.place(call(), at: after(1)).member.name)
            }
            #expect(names.count == 8, "\(rule)")
        }
    }

    @Test(arguments: [false, true]) func whoWasDrainedOnPurposeIsNotSick(isOff: Bool) throws {
        let fleet = try fleet(10) { ($0.health, $0.rule) = (.init(), .leastOutstanding) }
        try heal(fleet, at: after(0))
        for number in 0..<6 {
            let health = try #require(fleet.health(of: "gpu-\(number)"))
            health.drain(deadline: after(100), at: after(1))
            if isOff { health.declareDead(at: after(2)) }
        }
        let place = try fleet.place(call(), avoiding: (0..<9).map { "gpu-\($0)" }, at: after(2))
        place.hung(at: after(3))
        place.settle(.neutral(.timeout), at: after(3))
        #expect(fleet.health(of: "gpu-9")?.phase == .degraded)
        #expect(try names(fleet, 100, at: after(4))["gpu-9"] == nil)
    }

    @Test func whoIsIdleIsWhoMayGo() throws {
        let fleet = try fleet(4) { $0.health = .init() }
        func idle(_ keeping: Int, at second: Double) -> [String] {
            fleet.idle(for: .seconds(10), keeping: keeping, at: after(second)).map(\.name)
        }
        #expect(idle(0, at: 20).isEmpty, "who starts is not idle")
        try heal(fleet, at: after(20))
        #expect(idle(0, at: 21).count == 4 && idle(1, at: 21).count == 3)
        fleet.health(of: "gpu-3")?.declareDead(at: after(22))
        #expect(idle(1, at: 23).contains("gpu-3") && idle(1, at: 23).count == 3, "the one that stays can serve")
        #expect(idle(3, at: 23) == ["gpu-3"])
        fleet.report(EngineLoad(at: after(24), waiting: 0, running: 5), from: "gpu-0")
        #expect(!idle(0, at: 25).contains("gpu-0"), "it works for others")
        fleet.report(EngineLoad(at: after(26), waiting: 0, running: 0), from: "gpu-0")
        #expect(idle(0, at: 27).contains("gpu-0"))
    }

    @Test func aHeaderWithoutRunningCallsMakesNoCallsUp() throws {
        let fleet = try fleet(2)
        var open: [FleetTests.Box] = []
        for _ in 0..<40 {
            open.append(FleetTests.Box(try fleet.place(call(4_000), avoiding: ["gpu-1"], at: after(1))))
            open.last?.firstToken(at: after(1.1))
        }
        // All that run there are its own; they end, and then a header says only that nobody waits.
        for name in ["gpu-0", "gpu-1"] {
            fleet.report(EngineLoad(at: after(2), waiting: 0, running: name == "gpu-0" ? 40 : 0), from: name)
        }
        for box in open { box.placement.take()?.settle(.success, at: after(3)) }
        fleet.report(EngineLoad(at: after(3.1), waiting: 0), from: "gpu-0")
        #expect(try names(fleet, 10, at: after(3.2)) == ["gpu-0": 5, "gpu-1": 5])
    }
}
