import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// A rollout as a tier's choice.
@Suite struct RouterRolloutTests {
    let time = ManualTime(noon), canary = Door("canary")

    func router(_ rollout: Rollout) throws -> ModelRouter {
        try ModelRouter(
            "chat", budget: Purse(1_000),
            tiers: [
                Tier("premium", choice: .rollout(rollout), models: [Model("old"), Model("new", gates: [canary])]),
                Tier("cached", .cache),
            ])
    }

    @Test func callsGoWhereTheRolloutSays() async throws {
        let rollout = try Rollout("new", .init(share: 0.3) { $0.always = ["friend"] }), router = try router(rollout)
        for number in 0..<200 {
            let call = Call(key: "tenant \(number)")
            let target = try await router.run(call, time: time) { $0.target! }.answer
            #expect(target == (rollout.arm(for: call).isCanary ? "new" : "old"))
        }
        #expect(try await router.run(Call(key: "friend"), time: time) { $0.target! }.answer == "new")
        canary.refuse(.breakerOpen)
        #expect(try await router.run(Call(key: "friend"), time: time) { $0.target! }.answer == "old", "the other one")
    }

    @Test func aCanaryThatFailsIsTakenBack() async throws {
        let rollout = try Rollout("new", .init(share: 0.5), random: .seeded(1)), router = try router(rollout)
        var calls = 0
        while rollout.share > 0, calls < 5_000 {
            calls += 1
            time.advance(by: .seconds(1))
            _ = try? await router.run(idempotent, time: time) { attempt in
                if attempt.target == "new", calls % 3 != 0 { throw Failing(.serverError) }
                time.advance(by: .milliseconds(200))
            }
        }
        #expect(calls < 2_000 && rollout.share == 0)
        let evidence = try #require(rollout.decisions.last?.evidence)
        #expect(evidence.metric == .errors && evidence.canary.count > 0 && evidence.baseline.count > 0)
        for _ in 0..<50 { #expect(try await router.run(idempotent, time: time) { $0.target! }.answer == "old") }
    }

    /// It cools down after three failures, which must not keep the test from its calls.
    @Test func aCanaryThatAlwaysFailsIsTakenBackSoon() async throws {
        let rollout = try Rollout("new", .init(share: 0.05), random: .seeded(3)), router = try router(rollout)
        var asked = 0
        for _ in 0..<4_000 where rollout.share > 0 {
            time.advance(by: .milliseconds(1))
            _ = try? await router.run(idempotent, time: time) { attempt in
                if attempt.target == "new" {
                    asked += 1
                    throw Failing(.overloaded)
                }
            }
        }
        #expect(rollout.share == 0 && asked < 100)
    }

    @Test func oneThatIsAsGoodStays() async throws {
        let rollout = try Rollout("new", .init(share: 0.5), random: .seeded(2)), router = try router(rollout)
        for _ in 0..<3_000 {
            time.advance(by: .seconds(1))
            try await router.run(idempotent, time: time) { _ in time.advance(by: .milliseconds(200)) }
        }
        #expect(rollout.share == 0.5)
    }

    @Test func aRolloutNeedsTwoModels() throws {
        let rollout = try Rollout("new", .init(share: 0.1))
        #expect(throws: ConfigurationError.self) {
            try ModelRouter(
                "chat", budget: Purse(0), tiers: [Tier("a", choice: .rollout(rollout), models: [Model("only")])])
        }
    }
}
