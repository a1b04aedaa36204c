import Spillway
import SpillwayTesting

/// One schedule: calls through a policy with a deadline, retries, a bucket and a breaker for each replica.
enum ScheduleTrial {
    static let calls = 10
    static let replicas = 3
    /// When the last call begins and the last fault strikes, at the latest.
    static let span = Duration.seconds(10)
    private static let deadline = Duration.seconds(4)
    private static let request = EngineModel.Request(promptTokens: 500, outputTokens: 20)

    /// Up to seven faults of any kind, among them cancellations.
    static func script(_ random: RandomSource) throws -> FaultScript {
        try .random(
            using: random, replicas: replicas, zones: 2, calls: calls, span: span, count: Int(random.next() % 8))
    }

    /// Runs all calls to their end and checks every promise.
    ///
    /// - Returns: What happened.
    /// - Throws: `Violation`, or ``LeftRunning``.
    static func run(_ simulation: Simulation, _ script: FaultScript) async throws -> ScheduleCounts {
        let audit = Audit(timeMayGoBack: script.turnsClockBack)
        try audit.limitAttempts(ratio: 0.2, burst: 3, minimumPerSecond: 0.5)
        // The time left is each attempt's timeout, so only a clock that jumps makes a call end later.
        try audit.limitTime(deadline: deadline, grace: script.forwardJumps)
        let fleet = try SimulatedFleet(simulation, replicas: replicas, zones: 2, engine: engine(), script: script)
        let policy = try policy(simulation, audit)
        let tasks = (0..<calls).map { number in
            simulation.start("call \(number)", cancelledAtAwait: script.cancellation(ofCall: number)) {
                try await simulation.time.sleep(for: .milliseconds(Int64(simulation.random.next() % 10_000)))
                try await policy.run(Call(idempotency: .idempotent)) { attempt throws(SimulatedFailure) in
                    guard let replica = attempt.target.flatMap(Int.init) else { throw .connectionRefused }
                    _ = try await fleet.answer(request, at: replica, within: attempt.remaining)
                }
            }
        }
        for task in tasks { _ = await task.result }
        try audit.check()
        let attempts = audit.reports.reduce(0) { $0 + $1.attempts.count }
        guard fleet.loads.allSatisfy({ $0.running == 0 && $0.waiting == 0 }),
            fleet.counts.reduce(0, { $0 + $1.asked }) == attempts
        else { throw LeftRunning(loads: fleet.loads, counts: fleet.counts, attempts: attempts) }
        return ScheduleCounts(script, audit.reports, fleet.counts)
    }

    /// Engines that still work when all calls have ended, or attempts that no replica knows of.
    struct LeftRunning: Error {
        let loads: [EngineModel.Load]
        let counts: [SimulatedFleet.Counts]
        let attempts: Int
    }

    private static func policy(_ simulation: Simulation, _ audit: Audit) throws -> Policy {
        let bucket = audit.gate(
            try TokenBucket("bucket", .init(rate: .perSecond(2), burst: 3)),
            meter: try RateMeter(units: 2, per: .seconds(1), burst: 3))
        let targets = try (0..<replicas).map { number in
            let breaker = try CircuitBreaker(
                "replica-\(number)",
                .init {
                    $0.window = .calls(6)
                    $0.minimumCalls = 2
                    $0.openDuration = .seconds(1)
                    $0.ramp = .seconds(1)
                }, observer: audit, random: simulation.random)
            return Target("\(number)", audit.gate(breaker))
        }
        let budget = try RetryBudget("budget", .init(ratio: 0.2, burst: 3, minimumPerSecond: 0.5))
        return try Policy("schedule", observer: audit, time: simulation.time) { () throws(ConfigurationError) in
            try Deadline(deadline)
            try Retry(
                upTo: 3, backoff: .exponential(from: .milliseconds(100)), on: .transient.union([.rejected]),
                budget: budget, random: simulation.random)
            Gates(bucket)
            Targets(.rotating, targets)
        }
    }

    /// An engine that takes about 0.4 s for the request alone, and four at a time.
    private static func engine() throws -> EngineModel.Configuration {
        try EngineModel.Configuration(
            kvBlocks: 1_000, maxRunning: 4, maxWaiting: 4, computeTime: .microseconds(100),
            weightsReadTime: .milliseconds(20))
    }
}
