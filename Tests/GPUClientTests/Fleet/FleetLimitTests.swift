import GPUClient
import SpillwayCore
import Testing

/// Calls that no replica could take, or that are better taken elsewhere.
@Suite struct FleetLimitTests {
    typealias Box = FleetTests.Box

    func after(_ seconds: Double) -> Instant { FleetTests.start.advanced(by: .seconds(seconds)) }

    func fleet(
        _ members: [Member], _ change: (inout Fleet.Configuration) -> Void = { _ in }
    ) throws -> Fleet {
        try Fleet("llama", .init(change), members: members, at: FleetTests.start, random: .seeded(1))
    }

    func member(
        _ name: String, zone: String? = nil, region: String? = nil, kv: Int? = nil, cost: Double? = nil
    ) -> Member {
        var member = Member(name, address: "\(name):8000", zone: zone, region: region)
        member.kvTokens = kv
        member.costPerHour = cost
        return member
    }

    func call(_ input: Int = 900, answer: Int = 100) -> Call {
        Call(tokens: .estimate(input: input, maxOutput: answer), streams: true)
    }

    func reason(_ body: () throws -> Void) -> Reason? {
        do {
            try body()
            return nil
        } catch { return (error as? Rejection)?.reason }
    }

    @Test func memoryIsForAsManyCallsAsItHolds() throws {
        let fleet = try fleet([member("a", kv: 10_000), member("b", kv: 5_000)]) { $0.memory = 1 }
        var open: [Box] = []
        func ask() throws { try open.append(Box(fleet.place(call(), at: after(0)))) }
        // A thousand tokens are 63 blocks of 16: 1,008.
        for _ in 0..<13 { try ask() }
        #expect(open.count { $0.name == "a" } == 9 && open.count { $0.name == "b" } == 4)
        #expect(reason(ask) == .memoryFull)
        #expect(reason { _ = try fleet.admit(call(), at: after(0)) } == .memoryFull)
        #expect(fleet.standings(at: after(0)).reduce(0) { $0 + $1.calls } == 13, "nothing was taken")
        open.removeFirst().placement.take()?.settle(.success, at: after(1))
        try ask()
        _ = try fleet.admit(call(10, answer: 5), at: after(1))
        #expect(reason { _ = try fleet.admit(call(20_000), at: after(1)) } == .windowTooSmall, "nor would they ever")
    }

    @Test func theEngineSaysHowMuchIsFree() throws {
        let fleet = try fleet([member("a")]) { $0.memory = 0.9 }
        _ = try fleet.admit(call(1_000_000), at: after(0))
        // 1,000 blocks of 32, of which half are used, by whomever.
        fleet.report(EngineLoad(at: after(1), kvUse: 0.5, blockSize: 32, blocks: 1_000), from: "a")
        _ = try fleet.admit(call(12_500, answer: 300), at: after(1))
        #expect(reason { _ = try fleet.admit(call(12_500, answer: 301), at: after(1)) } == .memoryFull)
        // What was sent since is not in what it said.
        let box = try Box(fleet.place(call(6_000, answer: 400), at: after(1)))
        #expect(reason { _ = try fleet.admit(call(6_000, answer: 401), at: after(1)) } == .memoryFull)
        box.firstToken(at: after(1.5))
        fleet.report(EngineLoad(at: after(2), kvUse: 0.7, blockSize: 32, blocks: 1_000), from: "a")
        _ = try fleet.admit(call(6_000, answer: 400), at: after(2))
        box.placement.take()?.settle(.success, at: after(3))
    }

    @Test func nobodyIsSentWhereCallsWaitTooLong() throws {
        let fleet = try fleet([member("a"), member("b")]) { $0.queueAge = .seconds(2) }
        let stuck = try Box(fleet.place(call(), avoiding: ["b"], at: after(0)))
        for _ in 0..<5 {
            let place = try fleet.place(call(), at: after(2.1))
            #expect(place.member.name == "b")
        }
        let other = try Box(fleet.place(call(), at: after(2.1)))
        #expect(reason { _ = try fleet.admit(call(), at: after(4.2)) } == .saturated)
        stuck.placement?.firstToken(at: after(4.3))
        let place = try fleet.place(call(), at: after(4.3))
        #expect(place.member.name == "a")
        _ = other
    }

    @Test func aCallThatFailedGoesToAnotherZone() throws {
        let fleet = try fleet([
            member("a1", zone: "a"), member("a2", zone: "a"), member("b1", zone: "b"), member("c1", region: "far"),
        ]) { $0.zone = "a" }
        for _ in 0..<10 {
            let place = try fleet.place(call(), avoiding: ["a1"], at: after(0))
            #expect(["b1", "c1"].contains(place.member.name))
        }
        // Where there is no other zone, another replica.
        let last = try fleet.place(call(), avoiding: ["a1", "b1", "c1"], at: after(0))
        #expect(last.member.name == "a2")
    }

    @Test func nearIsFirstAndFarIsLast() throws {
        let fleet = try fleet([
            member("far", zone: "x", region: "west"), member("near", zone: "b", region: "east"),
            member("here", zone: "a", region: "east"),
        ]) {
            $0.zone = "a"
            $0.region = "east"
        }
        // Something is known of all, so that times are compared with times.
        for name in ["far", "near", "here"] {
            let place = try fleet.place(call(), avoiding: ["far", "near", "here"].filter { $0 != name }, at: after(0))
            place.firstToken(at: after(0.009))
            place.settle(.success, at: after(0.01))
        }
        var order: [String] = [], open: [Box] = []
        for _ in 0..<40 {
            try open.append(Box(fleet.place(call(), at: after(1))))
            if !order.contains(open[open.count - 1].name) { order.append(open[open.count - 1].name) }
        }
        #expect(order.first == "here" && order.last == "far", "\(order)")
    }

    @Test func theCheapestThatIsSoonEnoughAnswers() throws {
        let fleet = try fleet([member("dear", cost: 10), member("cheap", cost: 2)]) {
            $0.objective = .milliseconds(500)
        }
        for name in ["dear", "cheap"] {
            for _ in 0..<300 {
                let place = try fleet.place(call(), avoiding: [name == "dear" ? "cheap" : "dear"], at: after(0))
                // Thrice as slow, and a fifth of the price.
                place.firstToken(at: after(name == "dear" ? 0.03 : 0.09))
                place.settle(.success, usage: Usage(input: 900, output: 100), at: after(name == "dear" ? 1.03 : 3.09))
            }
        }
        var open: [Box] = []
        func ask() throws -> String {
            try open.append(Box(fleet.place(call(), at: after(10))))
            return open[open.count - 1].name
        }
        let first = try (0..<4).map { _ in try ask() }
        #expect(first == Array(repeating: "cheap", count: 4))
        // Half a second is not enough for many more: then the dear one has to help, and at last who is sooner.
        for _ in 0..<30 { _ = try ask() }
        #expect(open.count { $0.name == "dear" } > 10 && open.count { $0.name == "cheap" } >= 5)
        let standing = try #require(fleet.standings(at: after(10)).first { $0.member.name == "dear" })
        #expect(abs(try #require(standing.answerTokensPerSecond) - 99) < 1)
    }

    @Test func whatIdlesMayBeTakenAway() throws {
        let fleet = try fleet([
            member("small", cost: 1), member("large", cost: 8), member("middle", cost: 3), member("busy", cost: 9),
        ])
        #expect(fleet.idle(for: .seconds(60), at: after(59)).isEmpty, "a new one is not idle yet")
        let box = try Box(fleet.place(call(), avoiding: ["small", "large", "middle"], at: after(30)))
        #expect(fleet.idle(for: .seconds(60), at: after(100)).map(\.name) == ["large", "middle", "small"])
        #expect(fleet.idle(for: .seconds(60), keeping: 2, at: after(100)).map(\.name) == ["large"])
        #expect(fleet.idle(for: .seconds(60), keeping: 9, at: after(100)).isEmpty)
        box.placement.take()?.settle(.success, at: after(100))
        #expect(fleet.idle(for: .seconds(60), at: after(159)).count == 3)
        #expect(fleet.idle(for: .seconds(60), at: after(160)).first?.name == "busy")
    }

    @Test func theWayToChooseIsChangedLive() throws {
        let fleet = try fleet([member("a", kv: 5_000), member("b", kv: 5_000)])
        let box = try Box(fleet.place(call(4_000), avoiding: ["b"], at: after(0)))
        var changed = fleet.configuration
        changed.memory = 1
        try fleet.update(changed)
        for _ in 0..<4 {
            let place = try fleet.place(call(), at: after(0))
            #expect(place.member.name == "b", "what is under way is still known")
        }
        changed.memory = -1
        #expect(throws: ConfigurationError.self) { try fleet.update(changed) }
        changed.memory = nil
        changed.health = .init()
        #expect(throws: ConfigurationError.self) { try fleet.update(changed) }
        #expect(fleet.configuration.memory == 1)
        _ = box
    }
}
