import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// One bound on all extra work, through any nesting.
@Suite(.timeLimit(.minutes(10))) struct NestedBudgetTests {
    /// A policy, or policies inside of each other, that fail now and then at the bottom.
    private struct Nest {
        let policies: [Policy]
        let time: ManualTime

        /// Calls the policy at `depth`, whose operation calls the next.
        func call(_ depth: Int, _ random: RandomSource, _ attempts: Counter) async throws -> Int {
            guard depth < policies.count else {
                attempts.add()
                try await time.sleep(for: .milliseconds(Int64(random.next(through: 3_000))))
                if random.next(through: 2) > 0 { throw Trouble(.serverError) }
                return depth
            }
            return try await policies[depth].run(Call(idempotency: .idempotent)) { _ in
                try await call(depth + 1, random, attempts)
            }
        }
    }

    /// Policies of random parts, each with one of `budgets`.
    private func nest(_ random: RandomSource, _ time: ManualTime, _ budgets: [RetryBudget]) throws -> Nest {
        let policies = try (0...Int(random.next(through: 3))).map { depth in
            // The outermost draws on the budget whose bound is checked.
            let budget = depth == 0 ? budgets[0] : budgets[Int(random.next(through: UInt64(budgets.count - 1)))]
            let kind = random.next(through: 2)
            return try makePolicy(time) { () throws(ConfigurationError) in
                if kind != 1 {
                    try Retry(
                        upTo: 1 + Int(random.next(through: 3)), backoff: .constant(.milliseconds(100)), budget: budget)
                }
                if kind != 0 {
                    try Hedge(
                        after: .fixed(.milliseconds(500)), upTo: 1 + Int(random.next(through: 2)), budget: budget)
                }
                if random.next(through: 1) == 0 { Targets(.ladder, ["a", "b", "c", "d"].map { Target($0) }) }
            }
        }
        return Nest(policies: policies, time: time)
    }

    @Test func attemptsStayWithinTheBoundOfTheOutermostBudget() async throws {
        try await Simulation.check(seeds: 1..<2_001) { simulation in
            let random = simulation.random
            let ratio = Double(random.next(through: 10)) / 10, burst = Int(random.next(through: 5))
            let budgets = try ["one", "two", "three"].map {
                try RetryBudget($0, .init(ratio: ratio, burst: burst, minimumPerSecond: 0))
            }
            let nest = try nest(random, simulation.time, budgets)
            let attempts = Counter(), calls = 1 + Int(random.next(through: 19))
            try await withThrowingTaskGroup { group in
                for _ in 0..<calls {
                    group.addTask { _ = try? await nest.call(0, random, attempts) }
                    try await simulation.time.sleep(for: .milliseconds(Int64(random.next(through: 1_000))))
                }
                try await group.waitForAll()
            }
            let most = Double(calls) * (1 + ratio) + Double(burst)
            #expect(Double(attempts.total) <= most + 1e-6, "seed \(simulation.seed): \(attempts.total) > \(most)")
        }
    }

    @Test func anExtraAttemptIsDrawnFromEveryBudgetOrFromNone() async throws {
        let time = ManualTime()
        let outer = try RetryBudget("outer", .init(ratio: 0, burst: 1, minimumPerSecond: 0))
        let inner = try RetryBudget("inner", .init(ratio: 0, burst: 5, minimumPerSecond: 0))
        let around = try makePolicy(time) { () throws(ConfigurationError) in try Retry(upTo: 1, budget: outer) }
        let within = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, budget: inner)
        }
        let attempts = Counter()
        let error = await #expect(throws: (any Error).self) {
            try await around.perform(Call(idempotency: .idempotent)) { _ in
                try await within.run(Call(idempotency: .idempotent)) { _ in
                    attempts.add()
                    throw Trouble(.serverError)
                }
            }
        }
        #expect(attempts.total == 2, "the outer budget had one: \(String(describing: error))")
        var left = 0
        while inner.withdraw(at: time.now) { left += 1 }
        #expect(left == 4, "what the outer budget refused, the inner one has back")
    }

    @Test func aBudgetThatIsSharedIsPaidIntoOnce() async throws {
        let time = ManualTime()
        let budget = try RetryBudget("shared", .init(ratio: 1, burst: 0, minimumPerSecond: 0))
        let policies = try (0..<3).map { _ in
            try makePolicy(time) { () throws(ConfigurationError) in try Retry(budget: budget) }
        }
        try await policies[0].run { _ in
            try await policies[1].run { _ in try await policies[2].run { _ in } }
        }
        #expect(budget.withdraw(at: time.now))
        #expect(!budget.withdraw(at: time.now))
    }
}
