import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// When a ladder leaves a tier for all calls, and when it comes back.
@Suite struct HysteresisTests {
    let time = ManualTime(noon), trail = Trail(), door = Door("premium")
    let observer = RecordingObserver()

    func ladder(_ hysteresis: Hysteresis = Hysteresis()) throws -> ModelRouter {
        try ModelRouter(
            "chat", budget: Purse(.max / 2), hysteresis: hysteresis, observer: observer,
            tiers: [
                Tier("premium", models: [Model("large", .init { $0.failuresToCool = 1_000 }, gates: [door])]),
                Tier("compact", models: [Model("small")]),
            ])
    }

    /// Makes a call; whether the first tier was asked.
    @discardableResult
    func ask(_ router: ModelRouter, failing cause: Outcome.Cause? = nil) async throws -> ServiceMode {
        trail.clear()
        return try await router.run(idempotent, time: time) { attempt in
            trail.add(attempt)
            if let cause, attempt.target == "large" { throw Failing(cause) }
        }.mode
    }

    @Test func aTierThatFailsThreeTimesInARowIsLeft() async throws {
        let router = try ladder()
        for _ in 0..<2 { try await ask(router, failing: .serverError) }
        try await ask(router)
        for _ in 0..<2 { try await ask(router, failing: .serverError) }
        #expect(router.mode.tier == "premium", "a success between them")
        try await ask(router, failing: .serverError)
        #expect(router.mode.tier == "compact" && router.mode.reason == .targetFailed)
        let mode = try await ask(router)
        #expect(trail.all == ["compact/small"] && mode.reason == .steppedDown)
        #expect(router.changes.map(\.description) == ["chat: premium → compact (target_failed)"])
        #expect(router.changes[0].at == time.now)
        #expect(observer.transitions.map(\.description) == ["chat: premium → compact"])
    }

    @Test func oneCallAtATimeProbes() async throws {
        let router = try ladder()
        for _ in 0..<3 { try await ask(router, failing: .serverError) }
        time.advance(by: .milliseconds(999))
        try await ask(router)
        #expect(trail.all == ["compact/small"])
        time.advance(by: .milliseconds(1))
        try await ask(router)
        #expect(trail.all == ["premium/large"], "it is well again, but this was one probe")
        try await ask(router)
        #expect(trail.all == ["compact/small"])
    }

    @Test func probesThatFailBecomeSeldom() async throws {
        let router = try ladder()
        for _ in 0..<3 { try await ask(router, failing: .serverError) }
        var probes: [Int] = []
        for second in 1...80 {
            time.advance(by: .seconds(1))
            try await ask(router, failing: .timeout)
            if trail.all.first == "premium/large" { probes.append(second) }
        }
        #expect(probes == [1, 2, 4, 8, 16, 32, 48, 64, 80])
        var asked = 0
        for _ in 0..<18 {
            time.advance(by: .seconds(1))
            try await ask(router)
            asked += trail.all == ["premium/large"] ? 1 : 0
        }
        #expect(router.mode.tier == "premium" && asked == 3, "after a success they come every second again")
    }

    @Test func itComesBackAfterItsTimeAndThreeProbes() async throws {
        let router = try ladder()
        for _ in 0..<3 { try await ask(router, failing: .serverError) }
        for second in 1...9 {
            time.advance(by: .seconds(1))
            try await ask(router)
            #expect(trail.all == ["premium/large"] && router.mode.tier == "compact", "second \(second)")
        }
        time.advance(by: .seconds(1))
        try await ask(router)
        #expect(router.mode.tier == "premium" && router.changes.count == 2)
        #expect(router.changes[1].reason == .completed && router.changes[1].to == "premium")
    }

    @Test func aProbeThatFailsBeginsTheCountAnew() async throws {
        let router = try ladder()
        for _ in 0..<3 { try await ask(router, failing: .serverError) }
        time.advance(by: .seconds(10))
        for isWell in [true, true, false, true, true] {
            try await ask(router, failing: isWell ? nil : .timeout)
            time.advance(by: .seconds(1))
        }
        #expect(router.mode.tier == "compact")
        try await ask(router)
        #expect(router.mode.tier == "premium")
    }

    @Test func oneThatFallsAgainSoonIsLeftForLonger() async throws {
        let router = try ladder(Hysteresis { $0.maximumDwell = .seconds(30) })
        func fall() async throws { for _ in 0..<3 { try await ask(router, failing: .serverError) } }
        func secondsUntilBack() async throws -> Int {
            for second in 1...100 {
                time.advance(by: .seconds(1))
                try await ask(router)
                if router.mode.tier == "premium" { return second }
            }
            return .max
        }
        var times: [Int] = []
        for _ in 0..<3 {
            try await fall()
            times.append(try await secondsUntilBack())
        }
        #expect(times == [10, 20, 30])
        time.advance(by: .seconds(31))
        try await fall()
        #expect(try await secondsUntilBack() == 10, "it was well for longer than it had been left")
    }

    @Test(arguments: [Outcome.Cause.contentFiltered, .invalidRequest, .contextTooLong, .unacceptable, .noAnswer])
    func aCallsOwnFaultLeavesNoTier(_ cause: Outcome.Cause) async throws {
        let router = try ladder()
        for _ in 0..<10 { _ = try? await ask(router, failing: cause) }
        #expect(router.mode.tier == "premium" && router.changes.isEmpty)
    }

    @Test func refusalsCountAndMoneyOnlyWhereAllShareIt() async throws {
        let router = try ladder()
        door.refuse(.spendLimit)
        for _ in 0..<10 { try await ask(router) }
        #expect(router.mode.tier == "premium", "one tenant's")
        try router.update(Hysteresis { $0.sharesPurse = true })
        for _ in 0..<3 { try await ask(router) }
        #expect(router.mode.tier == "compact" && router.mode.reason == .spendLimit)
        let other = try ladder()
        door.refuse(.breakerOpen)
        for _ in 0..<3 { try await ask(other) }
        #expect(other.mode.reason == .breakerOpen)
    }

    @Test(arguments: [Reason.concurrencyLimited, .rateLimited, .queueFull, .loadShed])
    func aTierThatIsFullIsNotLeft(_ reason: Reason) async throws {
        let router = try ladder()
        door.refuse(reason)
        for _ in 0..<10 { try await ask(router) }
        #expect(router.mode.tier == "premium" && router.changes.isEmpty)
        door.refuse(nil)
        #expect(try await ask(router).tier == "premium", "what it can take it takes")
    }

    @Test func aTierOfWhichOneModelIsFullIsNotLeft() async throws {
        let broken = Door("broken", .breakerOpen), full = Door("full", .concurrencyLimited)
        for gates in [[broken, full], [full, broken]] {
            let models = try gates.map { try Model($0.name, gates: [$0]) }
            let router = try ModelRouter(
                "chat", budget: Purse(0), tiers: [Tier("a", models: models), Tier("b", models: [Model("small")])])
            for _ in 0..<10 { #expect(try await ask(router).tier == "b") }
            #expect(router.mode.tier == "a" && router.changes.isEmpty)
        }
    }

    @Test func breakersThatAreNotYetClosedAgainAreNoNewTrouble() async throws {
        let router = try ladder()
        for _ in 0..<3 { try await ask(router, failing: .serverError) }
        time.advance(by: .seconds(10))
        for _ in 0..<3 {
            try await ask(router)
            time.advance(by: .seconds(1))
        }
        #expect(router.mode.tier == "premium")
        door.refuse(.breakerOpen)
        for _ in 0..<10 { try await ask(router) }
        #expect(router.mode.tier == "premium")
        time.advance(by: .seconds(10))
        for _ in 0..<3 { try await ask(router) }
        #expect(router.mode.tier == "compact", "they should have closed by now")
    }

    @Test func aLadderWhoseOnlyTierIsLeftStillAsksIt() async throws {
        let router = try ModelRouter(
            "chat", budget: Purse(0), tiers: [Tier("only", models: [Model("m", .init { $0.failuresToCool = 1 })])])
        for _ in 0..<5 {
            _ = try? await router.run(idempotent, time: time) { _ in throw Failing(.serverError) }
        }
        let answer = try await router.run(idempotent, time: time) { _ in 1 }
        #expect(answer.answer == 1 && answer.mode.level == 0)
    }

    @Test func badRulesAreRefusedAndTheOldStay() throws {
        let router = try ladder()
        let bad = [
            Hysteresis { $0.misses = 0 }, Hysteresis { $0.successes = 0 }, Hysteresis { $0.dwell = .seconds(-1) },
            Hysteresis { $0.maximumDwell = .seconds(1) }, Hysteresis { $0.probeEvery = .zero },
        ]
        for rules in bad { #expect(throws: ConfigurationError.self) { try router.update(rules) } }
        #expect(router.hysteresis == Hysteresis())
    }

    /// A tier that is sick for a while: two changes, whatever the order of outcomes within.
    @Test(arguments: UInt64(1)...200)
    func aCauseChangesTheModeTwice(_ seed: UInt64) async throws {
        var random = RandomSource.seeded(seed)
        let router = try ladder()
        let from = Double.random(in: 5...20, using: &random), to = from + Double.random(in: 5...200, using: &random)
        for _ in 0..<3_000 {
            time.advance(by: .milliseconds(Int64.random(in: 1...200, using: &random)))
            let second = Double(noon.duration(to: time.now) / .milliseconds(1)) / 1_000
            try await ask(router, failing: (from..<to).contains(second) ? .timeout : nil)
        }
        #expect(router.changes.map(\.to) == ["compact", "premium"], "seed \(seed): \(router.changes)")
    }
}
