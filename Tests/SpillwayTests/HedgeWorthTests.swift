import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct HedgeWorthTests {
    private let time = ManualTime()

    /// 80 calls of 1 s, 15 of 3 s, 5 of 20 s.
    private func times() throws -> LatencyHistogram {
        let times = try LatencyHistogram()
        for (count, seconds) in [(80, 1), (15, 3), (5, 20)] {
            for _ in 0..<count { times.record(.seconds(seconds), at: time.now) }
        }
        return times
    }

    private func worth(
        _ times: LatencyHistogram, value: Money, cost: Money, objective: Duration = .seconds(8)
    ) -> HedgeWorth {
        HedgeWorth(
            objective: objective, value: value, cost: { cost }, times: times, after: { _ in .seconds(2) }, time: time)
    }

    @Test func `the chance is that of a miss that the hedge prevents`() throws {
        // Of calls that have taken 2 s, 5 in 20 miss 8 s; a hedge makes the 6 s that are left in 95 of 100.
        let chance = worth(try times(), value: .cents(1), cost: .zero).chance(at: time.now)
        #expect(chance == 237_500)
    }

    @Test func `it is worth what the chance times the value is above the cost`() throws {
        let times = try times()
        #expect(worth(times, value: .cents(10), cost: Money(dollars: "0.0237")!).isWorthIt())
        #expect(!worth(times, value: .cents(10), cost: Money(dollars: "0.0238")!).isWorthIt())
        // A hedge that would come too late itself, or an objective that is past, is worth nothing.
        #expect(!worth(times, value: .dollars(100), cost: .cents(1), objective: .milliseconds(2_500)).isWorthIt())
        #expect(!worth(times, value: .dollars(100), cost: .cents(1), objective: .seconds(1)).isWorthIt())
        #expect(!worth(try LatencyHistogram(), value: .dollars(100), cost: .zero).isWorthIt())
    }

    @Test func `a hedge asks it`() async throws {
        let time = time, times = try times()
        for (value, attempts) in [(Money.cents(10), 2), (.cents(1), 1)] {
            let worth = worth(times, value: value, cost: .cents(1))
            let budget = try RetryBudget("budget", .init(ratio: 1, burst: 10))
            let hedge = try Hedge(after: .fixed(.seconds(2)), budget: budget, spareCapacity: { worth.isWorthIt() })
            let made = Counter()
            try await whileTimePasses(time) {
                try await hedge.run(Call(idempotency: .idempotent), time: time) { attempt throws(Trouble) in
                    made.add()
                    let seconds = attempt.hedge == 0 ? 20 : 1
                    do { try await time.sleep(for: .seconds(seconds)) } catch { throw Trouble(.cancelled) }
                }
            }
            #expect(made.total == attempts)
        }
    }
}
