import Spillway
import SpillwayTesting
import Synchronization
import Testing

/// A ladder as a part of a policy.
@Suite final class PolicyRouterTests: Sendable {
    let time = ManualTime(), trail = Mutex<[String]>([])
    let call = Call(tokens: .estimate(input: 1_000, maxOutput: 500), idempotency: .idempotent)

    struct Failing: OutcomeError, Equatable {
        let outcome: Outcome
        init(_ cause: Outcome.Cause, retryAfter: Duration? = nil) { outcome = .of(cause, retryAfter: retryAfter) }
    }

    func ladder(_ budget: RetryBudget, gates: [any Gate] = []) throws -> ModelRouter {
        try ModelRouter(
            "ladder", budget: budget,
            tiers: [
                Tier("premium", models: [Model("large", gates: gates), Model("huge")]),
                Tier("compact", models: [Model("small")], maxOutput: 100), Tier("cached", .cache),
            ])
    }

    @Sendable func answer(_ attempt: Attempt, _ failing: [String: Outcome.Cause]) throws -> String {
        trail.withLock { $0.append("\(attempt.number) \(attempt.mode!.tier)/\(attempt.target!)") }
        if let cause = failing[attempt.target!] { throw Failing(cause) }
        return attempt.target!
    }

    @Test func theReportTellsEachStep() async throws {
        let budget = try RetryBudget("chat")
        let breaker = try CircuitBreaker("large")
        breaker.isolate(at: time.now)
        let router = try ladder(budget, gates: [breaker])
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
        let (result, report) = await policy.reported(call) { attempt in
            try answer(attempt, ["huge": .overloaded, "small": .timeout])
        }
        #expect(try result.get() == "cached")
        #expect(trail.withLock { $0 } == ["1 premium/huge", "2 compact/small", "3 cached/cached"])
        #expect(report.steps.map(\.description).contains("premium: target_failed (overloaded)"))
        #expect(report.steps.map(\.description).contains("compact: target_failed (timeout)"))
        #expect(report.mode?.tier == "cached" && report.mode?.reason == .targetFailed && report.mode?.level == 2)
        #expect(report.rejections.map(\.reason).contains(.breakerIsolated) && report.ending == .completed)
        #expect(report.attempts.map(\.target) == ["huge", "small", "cached"])
    }

    @Test func tiersWithoutAnAnswerHideNothing() async throws {
        let router = try ladder(RetryBudget("chat"))
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
        let error = await #expect(throws: PolicyError<any Error>.self) {
            try await policy.run(call) { attempt in
                try answer(attempt, ["large": .overloaded, "huge": .timeout, "small": .connect, "cached": .noAnswer])
            }
        }
        #expect(error?.underlying as? Failing == Failing(.connect))
        let refused = try await policy.run(call, judge: { _ in .neutral(.unacceptable) }) { attempt in
            try answer(attempt, ["cached": .noAnswer])
        }
        #expect(refused == "small", "the last answer that came")
    }

    /// A cache at the end of the ladder takes no retry away, and makes none that must not be.
    @Test func aRetryLooksAtWhatReallyFailed() async throws {
        for idempotency in [Call.Idempotency.idempotent, .unknown] {
            let budget = try RetryBudget("chat"), tries = Mutex(0)
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
                try Retry(upTo: 1, backoff: .constant(.zero), budget: budget)
                try ModelRouter(
                    "models", budget: budget, tiers: [Tier("a", models: [Model("m")]), Tier("cached", .cache)])
            }
            _ = try? await policy.run(Call(idempotency: idempotency)) { (attempt) async throws -> String in
                if attempt.target == "cached" { throw Failing(idempotency == .idempotent ? .noAnswer : .connect) }
                tries.withLock { $0 += 1 }
                throw Failing(.serverError)
            }
            #expect(tries.withLock { $0 } == (idempotency == .idempotent ? 2 : 1))
        }
    }

    @Test func oneBudgetBoundsStepsAndRetries() async throws {
        let budget = try RetryBudget("chat", .init(ratio: 0, burst: 4, minimumPerSecond: 0))
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 100, backoff: .constant(.zero), budget: budget)
            try ModelRouter("models", budget: budget, tiers: [Tier("a", models: [Model("a"), Model("b")])])
        }
        let error = await #expect(throws: PolicyError<any Error>.self) {
            try await policy.run(call) { attempt in try answer(attempt, ["a": .serverError, "b": .connect]) }
        }
        #expect(trail.withLock { $0.count } == 5 && error?.reason == .budgetExhausted)
        #expect(error?.underlying is Failing)
    }

    @Test func aRetryBeginsAgainWhenAllHaveFailed() async throws {
        try await Simulation.check(seeds: 0..<10) { [self] simulation in
            let time = simulation.time
            let budget = try RetryBudget("chat"), tries = Mutex(0)
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
                try Retry(upTo: 1, backoff: .constant(.seconds(2)), budget: budget)
                try ModelRouter("models", budget: budget, tiers: [Tier("a", models: [Model("a"), Model("b")])])
            }
            let began = time.now
            let value = try await policy.run(call) { (attempt) async throws -> String in
                let number = tries.withLock { number -> Int in
                    number += 1
                    return number
                }
                if number < 4 { throw Failing(.serverError) }
                return try answer(attempt, [:])
            }
            try #require(value == "b" && tries.withLock { $0 } == 4 && began.duration(to: time.now) == .seconds(2))
        }
    }

    @Test func gatesAreAllOrNone() async throws {
        let budget = try RetryBudget("chat"), tokens = try TokenBucket("tokens", .init(rate: .perDay(1), burst: 2))
        let breaker = try CircuitBreaker("large")
        breaker.isolate(at: time.now)
        let router = try ModelRouter(
            "models", budget: budget, tiers: [Tier("a", models: [Model("a", gates: [breaker])], gates: [tokens])])
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
        for _ in 0..<5 {
            await #expect(throws: PolicyError<any Error>.self) { try await policy.run(call) { try answer($0, [:]) } }
        }
        breaker.close(at: time.now)
        for _ in 0..<2 { _ = try await policy.run(call) { try answer($0, [:]) } }
        await #expect(throws: PolicyError<any Error>.self) { try await policy.run(call) { try answer($0, [:]) } }
    }

    @Test func aTierHasItsOwnTimes() async throws {
        try await Simulation.check(seeds: 0..<10) { [self] simulation in
            let time = simulation.time
            let budget = try RetryBudget("chat")
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
                try ModelRouter(
                    "models", budget: budget,
                    tiers: [
                        Tier("premium", models: [Model("slow")], timeout: AttemptTimeout(.seconds(1))),
                        Tier("compact", models: [Model("small")]),
                    ])
            }
            let (result, report) = await policy.reported(call) { attempt in
                if attempt.target == "slow" { try await time.sleep(for: .seconds(60)) }
                return attempt.target!
            }
            try #require(try result.get() == "small" && report.steps.map(\.cause) == [.timeout])
        }
    }

    @Test func aHedgeStandsAtAnotherModelOfTheSameTier() async throws {
        try await Simulation.check(seeds: 0..<10) { [self] simulation in
            let time = simulation.time
            let budget = try RetryBudget("chat"), trail = Mutex<[String]>([]), router = try ladder(budget)
            let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
                try Hedge(after: .fixed(.seconds(1)), budget: budget)
                router
            }
            let value = try await policy.run(call) { attempt in
                trail.withLock { $0.append("\(attempt.mode!.tier)/\(attempt.target!)") }
                if attempt.target == "large" { try await time.sleep(for: .seconds(60)) }
                return attempt.target!
            }
            try #require(value == "huge" && trail.withLock { $0 } == ["premium/large", "premium/huge"])
        }
    }

    @Test func theLastTierNeedNotWaitInTheQueue() async throws {
        let budget = try RetryBudget("chat"), limit = try ConcurrencyLimit("one", .init(.fixed(1)))
        let held = try limit.admit(Call(), at: time.now)
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in
            try FairQueue("queue")
            try ModelRouter(
                "models", budget: budget,
                tiers: [Tier("a", models: [Model("a", gates: [limit])]), Tier("cached", .cache)])
        }
        #expect(try await policy.run(call) { $0.target! } == "cached")
        held.void(at: time.now)
        #expect(try await policy.run(call) { $0.target! } == "a")
    }

    @Test func ordersThatCannotWorkAreRefused() throws {
        let budget = try RetryBudget("one"), other = try RetryBudget("two"), router = try ladder(budget)
        #expect(throws: ConfigurationError.self) {
            try Policy("p") { () throws(ConfigurationError) in
                try Retry(budget: other)
                router
            }
        }
        #expect(throws: ConfigurationError.self) {
            try Policy("p") { () throws(ConfigurationError) in
                router
                Targets(.ladder, [Target("t")])
            }
        }
        #expect(throws: ConfigurationError.self) {
            try Policy("p") { () throws(ConfigurationError) in
                router
                try Deadline(.seconds(1))
            }
        }
        let bucket = try TokenBucket("b", .init(rate: .perSecond(1), burst: 1))
        #expect(throws: ConfigurationError.self) {
            try Policy("p") { () throws(ConfigurationError) in
                router
                Gates(bucket)
            }
        }
        let twice = try ladder(budget, gates: [bucket])
        #expect(throws: ConfigurationError.self) {
            try Policy("p") { () throws(ConfigurationError) in
                Gates(bucket)
                twice
            }
        }
    }

    @Test func performGoesDownTheLadderToo() async throws {
        let router = try ladder(RetryBudget("chat"))
        let policy = try Policy("chat", time: time) { () throws(ConfigurationError) in router }
        let value = try await policy.perform(call) { attempt in
            try answer(attempt, ["large": .connect, "huge": .connect])
        }
        #expect(value == "small")
        let filtered = await #expect(throws: Failing.self) {
            try await policy.perform(call) { attempt in try answer(attempt, ["large": .contentFiltered]) }
        }
        #expect(filtered == Failing(.contentFiltered))
    }
}
