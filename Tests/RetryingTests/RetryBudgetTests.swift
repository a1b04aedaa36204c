import Retrying
import SpillwayCore
import Testing

@Suite struct RetryBudgetTests {
    /// Time counts in steps of 2²⁷ ns.
    private let step = Double(1 << 27) / 1e9

    private func drain(_ budget: RetryBudget, at now: Instant, most: Int = 1_000_000) -> Int {
        var taken = 0
        while taken < most, budget.withdraw(at: now) { taken += 1 }
        return taken
    }

    @Test func itStartsWithItsBurstAndGoesDownToNothing() throws {
        for burst in [0, 1, 10, 100_000] {
            let budget = try makeBudget(burst: burst)
            #expect(budget.balance(at: at(1)) == Double(burst))
            #expect(drain(budget, at: at(1)) == burst)
            #expect(budget.balance(at: at(1)) == 0)
        }
    }

    @Test func callsPayInTheirRatio() throws {
        let budget = try makeBudget(burst: 0, ratio: 0.2)
        for _ in 0..<4 { budget.deposit(at: at(1)) }
        #expect(!budget.withdraw(at: at(1)))
        for _ in 0..<996 { budget.deposit(at: at(1)) }
        #expect((199...200).contains(drain(budget, at: at(1))))
        let generous = try makeBudget(burst: 0, ratio: 10)
        generous.deposit(at: at(1))
        #expect(drain(generous, at: at(1)) == 10)
    }

    @Test func anIdleTimeFillsUpToTheBurstAndNotBeyond() throws {
        let budget = try makeBudget(burst: 10, floor: 0.5)
        #expect(drain(budget, at: at(100)) == 10)
        #expect(drain(budget, at: at(104.5)) == 2)
        #expect(drain(budget, at: at(1_000)) == 10)
        #expect(drain(budget, at: at(1_000 + 86_400 * 365)) == 10)
        #expect(drain(budget, at: at(1_000 + 86_400 * 365 * 3)) == 10)
        let floorless = try makeBudget(burst: 10)
        #expect(drain(floorless, at: at(1)) == 10)
        #expect(drain(floorless, at: at(86_400)) == 0)
    }

    /// Taken at the end of one step, the burst is not back at the beginning of the next.
    @Test func theBurstIsNotFilledAgainBeforeAStepHasPassed() throws {
        for last in [1_000.01, 1_000.5, 1_001.01, 1_001.98] {
            let budget = try makeBudget(burst: 1, floor: 10)
            budget.deposit(at: at(1_000 * step))
            budget.deposit(at: at(last * step))
            #expect(budget.withdraw(at: at(1_001.99 * step)), "last seen at \(last)")
            #expect(!budget.withdraw(at: at(1_002.01 * step)), "last seen at \(last)")
            #expect(budget.withdraw(at: at(1_003.01 * step)), "last seen at \(last)")
        }
    }

    /// A refill so slow that a step of it is below the smallest unit still adds up.
    @Test func aSlowRefillAddsUp() throws {
        let budget = try makeBudget(burst: 1, floor: 0.000_1)
        #expect(budget.withdraw(at: at(0)))
        var found = -1
        for second in 1...20_000 where found < 0 && budget.withdraw(at: at(Double(second))) { found = second }
        #expect((9_990...10_400).contains(found))
    }

    @Test func whatCallsPaidInFadesAndTheBurstDoesNot() throws {
        let budget = try RetryBudget("b", .init(ratio: 1, burst: 10, minimumPerSecond: 0, window: .seconds(10)))
        for _ in 0..<1_000 { budget.deposit(at: at(100)) }
        #expect(budget.balance(at: at(100)) == 1_010)
        let half = budget.balance(at: at(106.93))
        #expect(abs(half - 510) < 15)
        #expect(abs(budget.balance(at: at(110)) - 10 - 1_000 / 2.718) < 15)
        #expect(budget.balance(at: at(400)) < 10.01)
        #expect(budget.balance(at: at(400 + 86_400 * 365)) == 10)
        #expect(drain(budget, at: at(400 + 86_400 * 365)) == 10)
    }

    @Test func aStaleTimeMintsNothing() throws {
        let budget = try makeBudget(burst: 10, floor: 5)
        #expect(drain(budget, at: at(10_000)) == 10)
        for earlier in [9_999.0, 9_000, 5_000] { #expect(drain(budget, at: at(earlier)) == 0, "at \(earlier)") }
        #expect(drain(budget, at: at(10_000)) == 0)
        #expect((4...5).contains(drain(budget, at: at(10_001))))
    }

    @Test func updatesKeepTheBalance() throws {
        let budget = try makeBudget(burst: 10)
        #expect(drain(budget, at: at(1), most: 4) == 4)
        try budget.update(.init(ratio: 0.5, burst: 20, minimumPerSecond: 0))
        #expect(budget.balance(at: at(1)) == 6)
        for _ in 0..<2 { budget.deposit(at: at(1)) }
        #expect(budget.balance(at: at(1)) == 7)
        #expect(throws: ConfigurationError.self) { try budget.update(.init(ratio: .nan)) }
        budget.deposit(at: at(1))
        #expect(budget.balance(at: at(1)) == 7.5)
    }

    @Test func asAGateItRefusesAndGivesBack() throws {
        let budget = try makeBudget(burst: 2)
        try budget.admit(Call(), at: at(1)).void(at: at(1))
        #expect(budget.balance(at: at(1)) == 2)
        try budget.admit(Call(), at: at(1)).settle(.success, at: at(1))
        _ = try budget.admit(Call(), at: at(1))
        let refusal = #expect(throws: Rejection.self) {
            try budget.admit(Call(), at: at(1)).settle(.success, at: at(1))
        }
        #expect(refusal?.reason == .budgetExhausted)
        #expect(refusal?.gate.description == "budget")
        #expect(refusal?.retryAfter == nil)
    }

    @Test func withoutBoundItNeverRefuses() throws {
        for _ in 0..<1_000 { #expect(RetryBudget.unlimited.withdraw(at: at(1))) }
        try RetryBudget.unlimited.admit(Call(), at: at(1)).void(at: at(1))
        #expect(RetryBudget.unlimited.balance(at: at(1)) == .infinity)
    }

    @Test func aPermitMayOutliveItsBudget() throws {
        var budget: RetryBudget? = try makeBudget(burst: 1)
        let permit = try budget!.admit(Call(), at: at(1))
        budget = nil
        var others: [RetryBudget] = []  // one of them takes over the word of the one before
        for _ in 0..<20 { others.append(try makeBudget(burst: 0)) }
        permit.void(at: at(1))
        for other in others { #expect(other.balance(at: at(1)) == 0) }
    }

    @Test func withdrawalsStayWithinTheBoundUnderRandomUse() throws {
        try forSeeds(300) { seed, random in
            let ratio = Double(random.next(through: 100)) / 100, burst = Int(random.next(through: 20))
            let floor = Double(random.next(through: 40)) / 10
            let budget = try RetryBudget(
                "b", .init(ratio: ratio, burst: burst, minimumPerSecond: floor, window: .seconds(2)))
            let start = 1_000.0, lag = 0.5
            var now = start, calls = 0, taken = 0, restored = 0, excess = 0.0
            for _ in 0..<2_000 {
                switch random.next(through: 9) {
                case 0: now += Double(random.next(through: 2_000)) / 1_000
                case 1...4:
                    calls += 1
                    budget.deposit(at: at(now))
                case 5 where restored < taken && random.next() % 4 == 0:
                    restored += 1
                    budget.restore()
                default:
                    // Now and then by a clock that lags.
                    let behind = random.next() % 8 == 0 ? lag : 0
                    if budget.withdraw(at: at(now - behind)) { taken += 1 }
                }
                let most = Double(burst) + ratio * Double(calls) + floor * (now - start + lag + step)
                excess = max(excess, Double(taken - restored) - most)
            }
            #expect(excess <= 1e-6, "seed \(seed)")
        }
    }

    @Test func eightTasksStayWithinTheBound() async throws {
        for seed in UInt64(1)...4 {
            let budget = try makeBudget(burst: 10, ratio: 0.2, floor: 2)
            let taken = await sum(over: 8) { task in
                let random = RandomSource.seeded(seed &* 100 &+ UInt64(task))
                var taken = 0
                for call in 0..<5_000 {
                    let now = at(100 + Double(call) / 1_000)
                    budget.deposit(at: now)
                    for _ in 0...random.next(through: 2) where budget.withdraw(at: now) { taken += 1 }
                }
                return taken
            }
            #expect(Double(taken) <= 10 + 0.2 * 40_000 + 2 * (5 + step), "seed \(seed)")
            #expect(taken > 7_900, "seed \(seed)")
        }
    }

    @Test func whatIsTakenAtOnceByManyIsTakenOnce() async throws {
        for round in 0..<50 {
            let budget = try makeBudget(burst: 100)
            let taken = await sum(over: 8) { _ in
                var taken = 0
                for _ in 0..<50 where budget.withdraw(at: at(1)) { taken += 1 }
                return taken
            }
            #expect(taken == 100, "round \(round)")
        }
    }

    @Test func refusesWhatCannotWork() {
        let bad: [(field: String, configuration: RetryBudget.Configuration)] = [
            ("ratio", .init(ratio: -0.1)), ("ratio", .init(ratio: 10.1)), ("ratio", .init(ratio: .nan)),
            ("burst", .init(ratio: 0.2, burst: -1)), ("burst", .init(ratio: 0.2, burst: 100_001)),
            ("minimumPerSecond", .init(ratio: 0.2, minimumPerSecond: -1)),
            ("minimumPerSecond", .init(ratio: 0.2, minimumPerSecond: .infinity)),
            ("window", .init(ratio: 0.2, window: .milliseconds(999))),
            ("window", .init(ratio: 0.2, window: .seconds(86_401))),
        ]
        for (field, configuration) in bad {
            let error = #expect(throws: ConfigurationError.self) { _ = try RetryBudget("b", configuration) }
            #expect(error?.field == field)
            #expect(error?.policy == "RetryBudget")
        }
        let unnamed = #expect(throws: ConfigurationError.self) { _ = try RetryBudget("") }
        #expect(unnamed?.field == "name")
    }
}
