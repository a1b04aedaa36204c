import Spillway
import SpillwayTesting
import Synchronization

/// What came of one policy: production code under virtual time.
struct HedgingRun: Sendable, Hashable {
    /// Calls that were hedged, in percent: attempts beyond one per call.
    let hedged: Double
    /// Seconds within which half of the calls were answered.
    let median: Double
    /// Seconds within which the share was answered that is to be short.
    let tail: Double
    /// Work of attempts that lost, until they were cancelled, in percent of all attempts' seconds.
    let lost: Double
    /// All attempts' seconds in percent of what first attempts alone would have taken.
    let work: Double

    init(_ trace: HedgingTrace, _ policy: HedgingPolicy, _ settings: HedgingSettings) throws {
        let simulation = Simulation(seed: trace.seed, limit: .max), time = simulation.time
        let winners = try WinnerTimes(1 - settings.share, time)
        let hedge = try policy.hedge(settings, winners)
        let tally = Tally()
        try simulation.run {
            for (number, arrival) in trace.arrivals.enumerated() {
                try await time.sleep(for: .seconds(arrival.gap))
                simulation.start("call") {
                    let isCounted = number >= settings.warmUp, began = time.now
                    let won = try await hedge.run(Call(idempotency: .idempotent), time: time) { attempt in
                        let began = time.now
                        // Also when it is cancelled: what it has done until then was work.
                        defer { if isCounted { tally.attempt(began.seconds(to: time.now)) } }
                        try await time.sleep(for: .seconds(arrival.attempts[attempt.hedge]))
                        return began.seconds(to: time.now)
                    }
                    winners.record(won)
                    if isCounted { tally.call(began.seconds(to: time.now), won: won) }
                }
            }
        }
        self.init(tally, trace, settings)
    }

    private init(_ tally: Tally, _ trace: HedgingTrace, _ settings: HedgingSettings) {
        let sum = tally.sum
        let latencies = sum.latencies.sorted(), calls = Double(latencies.count)
        func quantile(_ share: Double) -> Double { latencies[min(Int(calls * share), latencies.count - 1)] }
        hedged = 100 * (Double(sum.attempts) / calls - 1)
        median = quantile(0.5)
        tail = quantile(settings.quantile)
        lost = 100 * (1 - sum.useful / sum.spent)
        work = 100 * sum.spent / trace.arrivals.dropFirst(settings.warmUp).reduce(0) { $0 + $1.attempts[0] }
    }
}

/// What happened so far.
private final class Tally: Sendable {
    struct Sum {
        var latencies: [Double] = []
        var attempts = 0
        /// Seconds of all attempts.
        var spent = 0.0
        /// Seconds of attempts that won.
        var useful = 0.0
    }

    private let state = Mutex(Sum())

    var sum: Sum { state.withLock { $0 } }

    func attempt(_ seconds: Double) {
        state.withLock { sum in
            sum.attempts += 1
            sum.spent += seconds
        }
    }

    func call(_ seconds: Double, won: Double) {
        state.withLock { sum in
            sum.latencies.append(seconds)
            sum.useful += won
        }
    }
}

extension Instant {
    fileprivate func seconds(to end: Instant) -> Double { duration(to: end) / .seconds(1) }
}
