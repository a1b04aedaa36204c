import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// The policies of production around a fleet on which random faults are played, with every promise audited.
@Suite struct PolicyUnderFaultsTests {
    private static let calls = 10
    private static let replicas = 4

    private static func script(_ random: RandomSource) throws -> FaultScript {
        try .random(
            using: random, replicas: replicas, zones: 2, calls: calls, span: .seconds(20),
            count: Int(random.next() % 12))
    }

    private static func breaker(_ name: String, _ simulation: Simulation, _ audit: Audit) throws -> CircuitBreaker {
        let configuration = CircuitBreaker.Configuration {
            $0.window = .calls(6)
            $0.minimumCalls = 2
            $0.openDuration = .seconds(1)
            $0.probeLease = .seconds(5)
            $0.ramp = .seconds(1)
        }
        return try CircuitBreaker(name, configuration, observer: audit, random: simulation.random)
    }

    /// Ten calls within ten seconds, each with a deadline; whatever was promised is checked when they have ended.
    private static func run(_ simulation: Simulation, _ script: FaultScript, budget: RetryBudget? = nil) async throws {
        let audit = Audit(timeMayGoBack: script.turnsClockBack)
        let fleet = try SimulatedFleet(simulation, replicas: replicas, zones: 2, engine: smallEngine(), script: script)
        try audit.limitAttempts(ratio: 0.2, burst: 3, minimumPerSecond: 0.5)
        // A jump of the clock can end an attempt late; nothing else can, for the timeout of an attempt is what is left.
        try audit.limitTime(deadline: .seconds(6), grace: script.forwardJumps)
        let budget = try budget ?? RetryBudget("budget", .init(ratio: 0.2, burst: 3, minimumPerSecond: 0.5))
        let bucket = audit.gate(
            try TokenBucket("bucket", .init(rate: .perSecond(3), burst: 6)),
            meter: try RateMeter(units: 3, per: .seconds(1), burst: 6))
        let targets = try (0..<replicas).map { number in
            Target("\(number)", audit.gate(try breaker("\(number)", simulation, audit)))
        }
        let policy = try Policy("test", observer: audit, time: simulation.time) { () throws(ConfigurationError) in
            try Deadline(.seconds(6))
            try Retry(
                upTo: 3, backoff: .exponential(from: .milliseconds(100)), on: .transient.union([.rejected]),
                budget: budget, random: simulation.random)
            Gates(bucket)
            Targets(.rotating, targets)
        }
        let tasks = (0..<calls).map { number in
            simulation.start("call \(number)", cancelledAtAwait: script.cancellation(ofCall: number)) {
                try await simulation.time.sleep(for: .milliseconds(Int64(simulation.random.next() % 10_000)))
                _ = try await policy.run(Call(idempotency: .idempotent)) { attempt in
                    try await fleet.answer(
                        shortRequest, at: Int(attempt.target!)!, within: min(.seconds(3), attempt.remaining!))
                }
            }
        }
        for task in tasks { _ = await task.result }
        try audit.check()
        let attempts = audit.reports.map(\.attempts.count).reduce(0, +)
        guard fleet.counts.map(\.asked).reduce(0, +) == attempts,
            fleet.loads.allSatisfy({ $0.running + $0.waiting == 0 })
        else {
            throw Mismatch(attempts: attempts, counts: fleet.counts, loads: fleet.loads)
        }
        simulation.note("\(attempts) attempts, \(audit.reports.map(\.ending))")
    }

    private struct Mismatch: Error {
        let attempts: Int
        let counts: [SimulatedFleet.Counts]
        let loads: [EngineModel.Load]
    }

    @Test func everyPromiseIsKept() async throws {
        try await Simulation.check(seeds: 0..<20_000, faults: Self.script) { simulation, script in
            try await Self.run(simulation, script)
        }
    }

    @Test(.disabled(if: isReplaying)) func aBudgetThatIsMissingIsFoundAndItsScriptShrunk() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(seeds: 0..<5_000, faults: Self.script) { simulation, script in
                try await Self.run(simulation, script, budget: .unlimited)
            }
        }
        #expect((failure?.error as? Violation)?.invariant == .attempts)
        let faults = try #require(failure?.script).split(separator: "\n").count - 2
        #expect((1...4).contains(faults))
    }

    @Test func theSameSeedGivesTheSameTrace() throws {
        func trace(_ seed: UInt64) throws -> [String] {
            let simulation = Simulation(seed: seed, traced: true)
            let script = try Self.script(.seeded(seed))
            try simulation.run { try await Self.run(simulation, script) }
            return simulation.trace
        }
        for seed in 0..<20 as Range<UInt64> {
            let first = try trace(seed)
            #expect(first.count > 100)
            #expect(try trace(seed) == first, "seed \(seed)")
        }
    }
}
