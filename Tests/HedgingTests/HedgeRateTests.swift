import Foundation
import Hedging
import Retrying
import SpillwayCore
import SpillwayTesting
import Testing

/// Calls that come by chance to a service whose latencies are left to chance.
struct Traffic {
    var calls = 16_000
    /// Calls at the beginning that are not looked at.
    var warmUp = 4_000
    var perSecond = 40.0
    var latency: @Sendable (RandomSource) -> Double

    struct Outcome: Sendable {
        var hedged = 0
        var latencies: [Double] = []
        /// The share of calls that were hedged.
        var rate: Double { Double(hedged) / Double(latencies.count) }
        /// Seconds within which the share `quantile` of calls was answered.
        func latency(_ quantile: Double) -> Double { latencies.sorted()[Int(Double(latencies.count) * quantile)] }
    }

    /// Sends the calls through the hedge; `won` is told how long each attempt took that won.
    func run(
        seed: UInt64, _ hedge: Hedge, won: @escaping @Sendable (Duration, Instant) -> Void = { _, _ in }
    ) throws -> Outcome {
        let simulation = Simulation(seed: seed, limit: .max), time = simulation.time
        let outcome = Locked(Outcome())
        return try simulation.run {
            for number in 0..<calls {
                try await time.sleep(for: simulation.random.gap(perSecond))
                simulation.start("call") {
                    let began = time.now, attempts = Locked(0)
                    let winner = try await hedge.run(twice, deadline: nil, time: time) { attempt in
                        attempts.withLock { $0 += 1 }
                        try await time.sleep(for: .seconds(latency(simulation.random)))
                        return attempt.started
                    }
                    won(winner.duration(to: time.now), time.now)
                    let took = began.duration(to: time.now)
                    guard number >= warmUp else { return }
                    outcome.withLock { outcome in
                        outcome.latencies.append(took / .seconds(1))
                        if attempts.withLock({ $0 }) > 1 { outcome.hedged += 1 }
                    }
                }
            }
            try await time.sleep(for: .seconds(3_600))
            return outcome.withLock { $0 }
        }
    }

    /// Latencies whose logarithm is normal, with a median of one second.
    static func logNormal(_ sigma: Double) -> Traffic {
        Traffic { exp(sigma * $0.normal()) }
    }
}

@Suite struct HedgeRateTests {
    @Test("at the 95th percentile one call in twenty is hedged, to within half a point", arguments: [0.5, 1, 1.5])
    func rate(sigma: Double) throws {
        let hedge = try Hedge(
            after: .quantile(0.95, of: LatencyHistogram(.init(span: .seconds(60)))), budget: RetryBudget.unlimited)
        let outcome = try Traffic.logNormal(sigma).run(seed: 1, hedge)
        #expect(abs(outcome.rate - 0.05) <= 0.005, "\(outcome.rate)")
    }

    /// What others do: only the attempt that won is counted, with the time that it took.
    @Test("with the times of winners alone the rate misses its target several times over", arguments: [0.5, 1, 1.5])
    func winnersOnly(sigma: Double) throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(60)))
        let known = Locked<(delay: Duration?, until: Instant)>((nil, .zero))
        let now = Locked(Instant.zero)
        let delay = Hedge.Delay.custom { _ in
            known.withLock { known in
                let now = now.withLock { $0 }
                if now >= known.until {
                    known = (histogram.quantile(0.95, at: now), now.advanced(by: .milliseconds(250)))
                }
                return known.delay
            }
        }
        let outcome = try Traffic.logNormal(sigma).run(
            seed: 1, Hedge(after: delay, budget: RetryBudget.unlimited)
        ) { took, at in
            now.withLock { $0 = at }
            histogram.record(took, at: at)
        }
        #expect(outcome.rate > 0.06, "\(outcome.rate)")
    }
}
