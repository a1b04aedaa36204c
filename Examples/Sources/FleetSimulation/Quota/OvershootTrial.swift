import Spillway
import SpillwayTesting
import Synchronization

/// One seed: 64 callers at once through one limit on tokens, who use less than they said, or more, or go away; judged from outside.
final class OvershootTrial: Sendable {
    /// What came of one seed.
    struct Counts: Sendable {
        var admitted = 0
        var refused = 0
        /// Calls that their caller left.
        var cancelled = 0
        /// Tokens that calls used beyond what was estimated.
        var beyond = 0
        /// By how many billionths of a token the worst call was let in too early.
        var overshoot = 0
        /// The most that was ever owed when a call was let in, as a part of the burst.
        var fullest = 0.0
    }

    /// A call was let in although too much had been used.
    struct Overshoot: Error {
        let counts: Counts
    }

    private struct Charge {
        let at: Int64
        var units: Int
        /// Whether a gate decided about it; what was used beyond an estimate was not asked for.
        let isDecided: Bool
    }

    private struct State {
        var charges: [Charge] = []
        var counts = Counts()
    }

    private static let callers = 64

    private let simulation: Simulation
    private let gate: any Gate
    private let burst: Int
    /// Tokens a second.
    private let rate: Int
    private let state = Mutex(State())

    /// Runs all callers of one seed.
    ///
    /// - Throws: ``Overshoot``.
    static func run(_ simulation: Simulation) async throws -> Counts {
        let trial = try OvershootTrial(simulation)
        let tasks = (0..<callers).map { caller in
            let random = simulation.random
            let leaves = random.upTo(5) == 0 ? random.upTo(6) : nil
            return simulation.start("caller \(caller)", cancelledAtAwait: leaves) {
                for _ in 0...random.upTo(3) { try await trial.call() }
            }
        }
        for task in tasks { _ = await task.result }
        let counts = trial.judged()
        if counts.overshoot > 0 { throw Overshoot(counts: counts) }
        return counts
    }

    private init(_ simulation: Simulation) throws {
        self.simulation = simulation
        burst = 100 + simulation.random.upTo(2_000)
        rate = 1 + simulation.random.upTo(200)
        let tokens = Rate.perSecond(Double(rate)), size = UInt32(burst)
        switch simulation.random.upTo(2) {
        case 0: gate = try TokenBucket("tokens", .init(rate: tokens, burst: size, unit: .tokens))
        case 1: gate = try KeyedTokenBucket("keyed", .init(rate: tokens, burst: size, unit: .tokens, keys: 16))
        default:
            gate = try Quota(
                "quota",
                .init(
                    requests: .perSecond(1_000), tokens: .init(tokens, burst: size),
                    outputTokens: .perSecond(1e6, burst: 1_000_000), concurrency: 50), at: simulation.time.now)
        }
    }

    private func call() async throws {
        let time = simulation.time, random = simulation.random
        try await time.sleep(for: .milliseconds(random.upTo(2_000)))
        let estimate = 1 + random.upTo(burst / 4)
        let input = random.upTo(estimate), now = time.now
        let permit: Permit
        do throws(Rejection) {
            permit = try gate.admit(Call(tokens: .estimate(input: input, maxOutput: estimate - input)), at: now)
        } catch {
            state.withLock { $0.counts.refused += 1 }
            return
        }
        let number = state.withLock { state in
            state.charges.append(Charge(at: now.nanoseconds, units: estimate, isDecided: true))
            state.counts.admitted += 1
            return state.charges.count - 1
        }
        do { try await time.sleep(for: .milliseconds(random.upTo(5_000))) } catch {
            // Its caller went away, and it may have used all that was estimated.
            permit.settle(.neutral(.cancelled), Measurements(), at: time.now)
            state.withLock { $0.counts.cancelled += 1 }
            throw error
        }
        settle(permit, number, estimate)
    }

    private func settle(_ permit: consuming Permit, _ number: Int, _ estimate: Int) {
        let now = simulation.time.now, random = simulation.random
        switch random.upTo(9) {
        case 0:
            permit.void(at: now)
            used(0, number, estimate, at: now)
        case 1:
            permit.settle(.failure(.connect), Measurements(), at: now)
            used(0, number, estimate, at: now)
        case 2:
            permit.settle(.failure(.timeout), Measurements(), at: now)
        default:
            // A tenth uses more than was estimated.
            let part = random.upTo(1) == 0 ? estimate : random.upTo(estimate)
            let real = random.upTo(9) == 0 ? estimate + random.upTo(estimate) : part
            let usage = Usage(input: real / 2, output: real - real / 2)
            permit.settle(.success, Measurements(usage: usage), at: now)
            used(real, number, estimate, at: now)
        }
    }

    private func used(_ real: Int, _ number: Int, _ estimate: Int, at now: Instant) {
        state.withLock { state in
            state.charges[number].units = min(real, estimate)
            guard real > estimate else { return }
            state.charges.append(Charge(at: now.nanoseconds, units: real - estimate, isDecided: false))
            state.counts.beyond += real - estimate
        }
    }

    /// Looks, with all known, whether any call was let in while more was owed than the limit holds.
    private func judged() -> Counts {
        state.withLock { state in
            var owed = 0, last = Int64.min
            for charge in state.charges {
                if last > .min { owed = max(0, owed - Int(charge.at - last) * rate) }
                last = charge.at
                owed += charge.units * 1_000_000_000
                guard charge.isDecided else { continue }
                state.counts.overshoot = max(state.counts.overshoot, owed - burst * 1_000_000_000)
                state.counts.fullest = max(state.counts.fullest, Double(owed) / Double(burst * 1_000_000_000))
            }
            return state.counts
        }
    }
}
