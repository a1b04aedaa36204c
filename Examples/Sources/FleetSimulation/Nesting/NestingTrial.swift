import Spillway
import SpillwayTesting
import Synchronization

/// One seed: calls through policies inside of each other, of random parts, towards a target that mostly fails.
struct NestingTrial: Sendable {
    /// What came of one seed.
    struct Counts: Sendable {
        var calls = 0
        /// Attempts that reached the target.
        var attempts = 0
        /// What the outermost budget allows, calls × (1 + ratio) + burst, and the callers do: calls × (1 + allowance).
        var allowed = 0.0
        /// What the limits of the policies alone would allow.
        var unbounded = 0
        var depth = 0
    }

    /// More attempts than that.
    struct TooMany: Error {
        let counts: Counts
    }

    private let policies: [Policy]
    private let time: ManualTime
    private let random: RandomSource
    private let attempts = Attempts()

    private final class Attempts: Sendable {
        let count = Mutex(0)
    }

    /// A gate that refuses now and then, so that attempts that were paid for are given back.
    private final class Moody: Gate {
        let name = "moody"
        private let label = GateName(registering: "moody")
        private let random: RandomSource

        init(_ random: RandomSource) { self.random = random }

        deinit { label.release() }

        func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
            if random.upTo(7) == 0 { throw Rejection(by: label, reason: .other) }
            return .free(at: now)
        }
    }

    /// The target failed.
    private struct Failed: OutcomeError {
        let outcome = Outcome.failure(.serverError)
    }

    /// Runs all calls of one seed.
    ///
    /// - Throws: ``TooMany``.
    static func run(_ simulation: Simulation) async throws -> Counts {
        let random = simulation.random
        let ratio = Double(random.upTo(10)) / 10, burst = random.upTo(5)
        // Some policies share a budget, others have one of their own.
        let budgets = try ["one", "two", "three"].map {
            try RetryBudget($0, .init(ratio: ratio, burst: burst, minimumPerSecond: 0))
        }
        var limits = 1
        let policies = try (0...random.upTo(3)).map { depth in
            let budget = depth == 0 ? budgets[0] : budgets[random.upTo(2)]
            let (policy, limit) = try policy(random, simulation.time, budget)
            limits *= limit
            return policy
        }
        let trial = NestingTrial(policies: policies, time: simulation.time, random: random)
        let calls = 1 + random.upTo(19)
        // Now and then a caller says how many extra attempts all may make for it, and goes away at any of its awaits.
        let allowance = random.upTo(2) == 0 ? random.upTo(2) : nil
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<calls {
            let leaves = random.upTo(4) == 0 ? random.upTo(30) : nil
            tasks.append(
                simulation.start("call \(number)", cancelledAtAwait: leaves) {
                    let budgets = allowance.map { BudgetChain.none.adding(Allowance($0)) } ?? .none
                    try await CallContext(budgets: budgets).bound { () async throws in try await trial.call(0) }.get()
                })
            try await simulation.time.sleep(for: .milliseconds(random.upTo(1_000)))
        }
        for task in tasks { _ = await task.result }
        let budgeted = Double(calls) * (1 + ratio) + Double(burst)
        let counts = Counts(
            calls: calls, attempts: trial.attempts.count.withLock(\.self),
            allowed: allowance.map { min(budgeted, Double(calls * (1 + $0))) } ?? budgeted, unbounded: calls * limits,
            depth: policies.count)
        // Sums of fractions come out a little beside.
        guard Double(counts.attempts) <= counts.allowed + 1e-6 else { throw TooMany(counts: counts) }
        return counts
    }

    /// A policy of random parts, and the most attempts that its limits allow for one call.
    private static func policy(
        _ random: RandomSource, _ time: ManualTime, _ budget: RetryBudget
    ) throws -> (Policy, Int) {
        let kind = random.upTo(2)
        let retries = kind == 1 ? 0 : 1 + random.upTo(3)
        let hedges = kind == 0 ? 0 : 1 + random.upTo(2)
        let fallsBack = random.upTo(1) == 0
        let policy = try Policy("nested", time: time) { () throws(ConfigurationError) in
            if retries > 0 {
                try Retry(
                    upTo: retries, backoff: .constant(.milliseconds(100)), on: .transient.union([.rejected]),
                    budget: budget)
            }
            if hedges > 0 { try Hedge(after: .fixed(.milliseconds(500)), upTo: hedges, budget: budget) }
            Gates(Moody(random))
            if fallsBack { Targets(.ladder, ["a", "b", "c", "d"].map { Target($0) }) }
        }
        return (policy, (1 + retries) * (1 + hedges))
    }

    /// Calls the policy at `depth`, whose operation calls the next.
    private func call(_ depth: Int) async throws {
        guard depth < policies.count else {
            attempts.count.withLock { $0 += 1 }
            try await time.sleep(for: .milliseconds(random.upTo(3_000)))
            if random.upTo(2) > 0 { throw Failed() }
            return
        }
        try await policies[depth].run(Call(idempotency: .idempotent)) { _ in try await call(depth + 1) }
    }
}
