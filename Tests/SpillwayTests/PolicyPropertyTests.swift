import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct PolicyPropertyTests {
    private let again = Call(idempotency: .idempotent)

    @Test func cancellationDuringTheWaitGivesTheBudgetBack() async throws {
        let time = ManualTime()
        let budget = try RetryBudget("budget", .init(ratio: 0, burst: 3, minimumPerSecond: 0))
        let gate = CountingGate()
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .constant(.seconds(60)), budget: budget)
            Gates(gate)
        }
        let call = Task { try await policy.perform(again) { _ in throw Trouble(.serverError) } }
        await time.waitForSleepers()
        #expect(budget.balance(at: time.now) == 2)
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(budget.balance(at: time.now) == 3)
        #expect(gate.counts == .init(admitted: 1, settled: 1, voided: 0))
    }

    @Test func aCancelledOperationIsNeitherTriedAgainNorCounted() async throws {
        let time = ManualTime()
        let breaker = try CircuitBreaker("breaker", .init { $0.window = .consecutive(1) })
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none)
            Gates(breaker)
        }
        let attempts = Counter()
        let call = Task {
            try await policy.perform(again) { _ in
                attempts.add()
                do { try await time.sleep(until: .distantFuture) } catch { throw Trouble(.transport) }
            }
        }
        await time.waitForSleepers()
        call.cancel()
        await #expect(throws: (any Error).self) { try await call.value }
        #expect(attempts.total == 1)
        #expect(breaker.currentState == .closed)
    }

    /// Random policies under random failures, refusals and cancellations: every permit is settled once, and attempts stay
    /// within the budget.
    @Test func permitsAreSettledOnceAndAttemptsBounded() async throws {
        for seed in UInt64(1)...60 {
            var random = RandomSource.seeded(seed)
            let time = ManualTime()
            let ratio = Double.random(in: 0...0.5, using: &random)
            let burst = Int.random(in: 0...5, using: &random)
            let budget = try RetryBudget("budget", .init(ratio: ratio, burst: burst, minimumPerSecond: 0))
            let gates = (0..<Int.random(in: 1...4, using: &random)).map { CountingGate("\($0)") }
            let targets = (0..<Int.random(in: 1...3, using: &random)).map { CountingGate("target-\($0)") }
            let limit = Int.random(in: 0...5, using: &random)
            let policy = try makePolicy(time) { () throws(ConfigurationError) in
                try Retry(
                    upTo: limit, backoff: .constant(.milliseconds(10)), on: .transient.union([.rejected]),
                    budget: budget)
                Gates(gates)
                Targets(.rotating, targets.map { Target($0.name, $0) })
            }
            let attempts = Counter()
            let calls = 60
            let coins = random
            await whileTimePasses(time) {
                await withTaskGroup(of: Void.self) { group in
                    for index in 0..<calls {
                        let cancels = coins.next() % 8 == 0
                        let dice = RandomSource.seeded(seed &* 1_000 &+ UInt64(index))
                        if index % 10 == 0 { targets[0].refuses.toggle() }
                        group.addTask {
                            let call = Task {
                                try? await policy.perform(again) { _ in
                                    attempts.add()
                                    try await time.sleep(until: time.now.advanced(by: .milliseconds(5)))
                                    if dice.next() % 2 == 0 { throw Trouble(.serverError) }
                                }
                            }
                            if cancels { call.cancel() }
                            await call.value
                        }
                    }
                }
            }
            for gate in gates + targets {
                let counts = gate.counts
                #expect(counts.admitted == counts.settled + counts.voided, "seed \(seed)")
            }
            let most = Double(calls) * (1 + ratio) + Double(burst)
            #expect(Double(attempts.total) <= most, "seed \(seed)")
        }
    }
}
