import Spillway
import SpillwayTesting
import Synchronization
import Testing

/// A model or a target that stands for a fleet of replicas.
extension PolicyRouterTests {
    func fleets(_ budget: RetryBudget, attempts: Int = 3) throws(ConfigurationError) -> ModelRouter {
        try ModelRouter(
            "fleets", budget: budget,
            tiers: [
                Tier("own", models: [Model("fleet", .init { $0.attempts = attempts })]),
                Tier("hosted", models: [Model("small")]),
            ])
    }

    @Test func aFleetIsAskedForAnotherReplicaBeforeTheNextTier() async throws {
        for (cause, asked) in [
            (Outcome.Cause.timeout, 3), (.serverError, 3), (.truncated, 3), (.overloaded, 3), (.rateLimited, 3),
            (.rejected, 1),
            (.quotaExhausted, 1), (.contextTooLong, 1),
        ] {
            trail.withLock { $0 = [] }
            let router = try fleets(RetryBudget("chat", .init(ratio: 0, burst: 10, minimumPerSecond: 0)))
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
            let (result, report) = await policy.reported(call) { try answer($0, ["fleet": cause]) }
            #expect(try result.get() == "small", "\(cause)")
            #expect(report.attempts.map(\.target) == Array(repeating: "fleet", count: asked) + ["small"], "\(cause)")
            #expect(report.steps.map(\.description) == ["own: target_failed (\(cause))"])
        }
    }

    /// Also where the tier takes turns between two of them.
    @Test func fleetsThatTakeTurnsEndToo() async throws {
        let budget = try RetryBudget("chat", .init(ratio: 0, burst: 100, minimumPerSecond: 0))
        let router = try ModelRouter(
            "fleets", budget: budget,
            tiers: [
                Tier(
                    "own", choice: .rotating,
                    models: [Model("a", .init { $0.attempts = 2 }), Model("b", .init { $0.attempts = 2 })]),
                Tier("hosted", models: [Model("small")]),
            ])
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
        let (result, report) = await policy.reported(call) { try answer($0, ["a": .rateLimited, "b": .rateLimited]) }
        #expect(try result.get() == "small")
        #expect(report.attempts.count <= 5)
    }

    /// Nor does it hold up the fleet for other calls.
    @Test func aPauseThatAReplicaAsksForHoldsUpNoOther() async throws {
        let budget = try RetryBudget("chat")
        for router in [try fleets(budget), nil] {
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
                try Retry(upTo: 1, backoff: .none, budget: budget)
                if let router { router } else { Targets(.ladder, [Target("fleet", gates: [], isFleet: true)]) }
            }
            let began = time.now
            for _ in 0..<3 {
                let target = try await policy.run(call) { attempt in
                    if attempt.number == 1 { throw Failing(.rateLimited, retryAfter: .seconds(30)) }
                    return attempt.target
                }
                #expect(target == "fleet")
            }
            #expect(time.now == began)
        }
    }

    @Test func attemptsAtAFleetArePaidForAndMadeOnlyWhereTheyMayBe() async throws {
        let budget = try RetryBudget("chat", .init(ratio: 0, burst: 1, minimumPerSecond: 0))
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in try fleets(budget) }
        let error = await #expect(throws: PolicyError<any Error>.self) {
            try await policy.run(call) { try answer($0, ["fleet": .timeout]) }
        }
        #expect(error?.reason == .budgetExhausted)
        #expect(trail.withLock { $0 } == ["1 own/fleet", "2 own/fleet"])
        trail.withLock { $0 = [] }
        let once = try Policy("once", time: time) { () throws(ConfigurationError) in try fleets(RetryBudget("once")) }
        _ = try? await once.run(Call(idempotency: .unknown)) { try answer($0, ["fleet": .timeout]) }
        #expect(trail.withLock { $0 } == ["1 own/fleet"])
        #expect(throws: ConfigurationError.self) { try fleets(budget, attempts: 0) }
    }

    @Test func aHedgeStandsBesideAnAttemptAtTheSameFleet() throws {
        for attempts in [1, 2] {
            let simulation = Simulation(seed: 1), budget = try RetryBudget("chat")
            let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
                try Hedge(after: .fixed(.seconds(1)), budget: budget)
                try fleets(budget, attempts: attempts)
            }
            let (_, report) = try simulation.run {
                await policy.reported(self.call) { attempt in
                    try await simulation.time.sleep(for: .seconds(attempt.hedge == 0 ? 20 : 2))
                }
            }
            #expect(report.attempts.map(\.target) == Array(repeating: "fleet", count: attempts))
        }
    }
}
