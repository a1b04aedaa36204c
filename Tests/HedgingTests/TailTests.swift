import Foundation
import Hedging
import Retrying
import SpillwayCore
import SpillwayTesting
import Testing

/// A service that answers in two seconds, and in twenty for one call in twenty.
@Suite struct TailTests {
    /// The lowest 99th percentile of all policies that hedge at most `budget` of the calls, of latencies as they come.
    ///
    /// To hedge after one delay, with one probability, is as good as any policy that knows how long a call has taken (Kaler,
    /// He and Elnikety, *Optimal reissue policies for reducing tail latency*, SPAA 2017). So every delay is tried, with the
    /// highest probability that the budget allows: a call is late when its first attempt is late, and it had no hedge or a
    /// late one.
    static func best(_ latencies: [Double], budget: Double) -> (seconds: Double, delay: Double) {
        let sorted = latencies.sorted(), count = Double(sorted.count)
        func above(_ time: Double) -> Double {
            var low = 0, high = sorted.count
            while low < high {
                let middle = (low + high) / 2
                if sorted[middle] > time { high = middle } else { low = middle + 1 }
            }
            return (count - Double(low)) / count
        }
        var best = (seconds: Double.infinity, delay: 0.0)
        for delay in Set((0..<2_000).map { sorted[$0 * sorted.count / 2_000] }).union([0]) {
            let probability = min(1, budget / max(above(delay), 1e-9))
            var low = 0.0, high = sorted.last!
            while high - low > 1e-4 {
                let time = (low + high) / 2
                let late = above(time) * (time < delay ? 1 : 1 - probability * (1 - above(time - delay)))
                if late <= 0.01 { high = time } else { low = time }
            }
            if high < best.seconds { best = (high, delay) }
        }
        return best
    }

    static let exact = Traffic { $0.uniform() < 0.05 ? 20 : 2 }
    static let noisy = Traffic { ($0.uniform() < 0.05 ? 20 : 2) * exp(0.1 * $0.normal()) }

    @Test func bestOfThePlainServiceIsTwiceTwoSeconds() {
        let random = RandomSource.seeded(1)
        let best = Self.best((0..<100_000).map { _ in Self.exact.latency(random) }, budget: 0.051)
        #expect(abs(best.seconds - 4) < 0.001)
    }

    /// Runs the traffic for some seeds with a budget of one hedge in twenty calls.
    private func hedged(_ traffic: Traffic, seeds: ClosedRange<UInt64>) throws -> Traffic.Outcome {
        var all = Traffic.Outcome()
        for seed in seeds {
            let budget = try RetryBudget("budget", .init(ratio: 0.05, burst: 10, minimumPerSecond: 0))
            let outcome = try traffic.run(seed: seed, Hedge(after: .shortest(0.99, hedging: 0.05), budget: budget))
            all.hedged += outcome.hedged
            all.latencies += outcome.latencies
        }
        return all
    }

    @Test func hedgedItIsNearTheBestThatItsBudgetAllows() throws {
        let outcome = try hedged(Self.exact, seeds: 1...1)
        #expect(outcome.latency(0.99) <= 1.15 * 4)
        #expect(outcome.rate <= 0.051)
    }

    /// The share of late calls at the best 99th percentile is just one in a hundred, and above it there is little as far as
    /// 14 s: it takes many calls to tell.
    @Test func soItIsWhereBothTimesVary() throws {
        let random = RandomSource.seeded(2)
        let best = Self.best((0..<50_000).map { _ in Self.noisy.latency(random) }, budget: 0.05).seconds
        let outcome = try hedged(Self.noisy, seeds: 1...3)
        #expect(outcome.latency(0.99) <= 1.15 * best)
        #expect(outcome.rate <= 0.051)
    }

    @Test func theDelayIsTheEdgeOfTheFastCallsWhateverTheirShareJustNow() throws {
        for slow in [3, 5, 6, 9] {
            let hedge = try Hedge(after: .shortest(0.99, hedging: 0.05), budget: RetryBudget.unlimited)
            for call in 0..<1_000 { hedge.histogram?.record(.seconds(call % 100 < slow ? 20 : 2), at: at(1)) }
            let due = try #require(hedge.begin(twice, at: at(1)).due)
            #expect(due >= at(3) && due <= at(3.02), "\(slow) % slow")
        }
    }

    @Test func whereAHedgeCannotHelpItComesLate() throws {
        let hedge = try Hedge(after: .shortest(0.99, hedging: 0.05), budget: RetryBudget.unlimited)
        for _ in 0..<1_000 { hedge.histogram?.record(.seconds(2), at: at(1)) }
        #expect(try #require(hedge.begin(twice, at: at(1)).due) >= at(3))
    }
}
