import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// Limits that a policy enforces, in virtual time.
@Suite(.timeLimit(.minutes(10))) struct PolicyLimitTests {
    private let stream = Call(idempotency: .idempotent, streams: true)

    @Test func theDeadlineCancelsTheAttemptAndSaysNothingAboutTheTarget() throws {
        let simulation = Simulation(seed: 1), gate = CountingGate()
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try Deadline(.seconds(30))
            try Retry(upTo: 3)
            Gates(gate)
        }
        let (result, report) = try simulation.run {
            await policy.reported(stream) { _ in try await simulation.time.sleep(for: .seconds(3_600)) }
        }
        guard case .failure(.timedOut(.deadline, .some)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(report.started.duration(to: report.ended) == .seconds(30))
        #expect(report.ending == .deadlineExceeded)
        #expect(report.attempts.map(\.outcome) == [.neutral(.timeout)])
        #expect(gate.isWhole)
    }

    @Test(arguments: [
        (TimeLimit.firstContent, 0, Duration.seconds(8)), (.stall, 3, .seconds(2 * 3 + 5)),
        (.tokenRate, 100, .milliseconds(13_500)), (.attempt, 100, .seconds(60)),
    ])
    func eachLimitEndsTheAttemptAtItsTime(limit: TimeLimit, pieces: Int, time: Duration) throws {
        let simulation = Simulation(seed: 1)
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none, budget: .unlimited)
            try AttemptTimeout(
                .seconds(60), firstContent: .seconds(8), stall: .seconds(5),
                tokensPerSecond: limit == .tokenRate ? 10 : nil)
        }
        let (result, report) = try simulation.run {
            await policy.reported(stream) { attempt throws(Trouble) in
                do {
                    for _ in 0..<pieces {
                        try await simulation.time.sleep(for: .seconds(2))
                        attempt.received(tokens: 3)
                    }
                    // What keeps a connection alive is not content.
                    while true { try await simulation.time.sleep(for: .seconds(1)) }
                } catch {
                    throw Trouble(.cancelled)
                }
            }
        }
        guard case .failure(.timedOut(limit, .some(Trouble(.cancelled)))) = result else {
            Issue.record("\(result)")
            return
        }
        // A timeout is tried again, once.
        #expect(report.attempts.map(\.outcome) == [.failure(.timeout), .failure(.timeout)])
        for attempt in report.attempts { #expect(attempt.started.duration(to: attempt.ended) == time) }
        #expect(report.ending == limit.reason)
    }

    @Test func timeThatTheCallerTakesIsNotTheTargets() throws {
        let simulation = Simulation(seed: 1)
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try AttemptTimeout(.seconds(10), stall: .seconds(5))
        }
        let elapsed = try simulation.run {
            try await policy.run(stream) { attempt in
                attempt.received()
                try await attempt.pausing { try await simulation.time.sleep(for: .seconds(100)) }
                try await simulation.time.sleep(for: .seconds(4))
                return attempt.started.duration(to: simulation.time.now)
            }
        }
        #expect(elapsed == .seconds(104))
    }

    @Test func anAnswerAfterTheLimitIsLate() throws {
        let simulation = Simulation(seed: 1)
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try AttemptTimeout(.seconds(1))
        }
        let (result, _) = try simulation.run {
            await policy.reported { _ in
                try? await simulation.time.sleep(for: .seconds(2))
                return 1
            }
        }
        guard case .failure(.timedOut(.attempt, nil)) = result else {
            Issue.record("\(result)")
            return
        }
    }

    @Test func eachHedgeHasItsOwnTime() throws {
        let simulation = Simulation(seed: 1)
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.seconds(3)), budget: RetryBudget.unlimited)
            try AttemptTimeout(.seconds(5))
        }
        let (result, report) = try simulation.run {
            await policy.reported(stream) { _ in try await simulation.time.sleep(for: .seconds(100)) }
        }
        guard case .failure(.timedOut(.attempt, .some)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(report.attempts.map { report.started.duration(to: $0.ended) } == [.seconds(5), .seconds(8)])
    }

    @Test func aMiddlewareIsToldAndNotCancelled() async throws {
        let time = ManualTime()
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Deadline(.seconds(30))
            try AttemptTimeout(.seconds(5))
        }
        let remaining = try await policy.perform { attempt in
            time.advance(by: .seconds(40))
            return attempt.remaining
        }
        #expect(remaining == .seconds(30))
    }

    @Test(arguments: [(3, 1, true), (1, 1, false), (1, 4, true)])
    func gatesLearnOfASlowAnswerThatTheCallerHas(first: Int, gap: Int, isSlow: Bool) throws {
        let simulation = Simulation(seed: 1)
        let breaker = try CircuitBreaker("slow", .init { $0.window = .consecutive(1) })
        for hedged in [false, true] {
            breaker.close(at: simulation.time.now)
            let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
                if hedged { try Hedge(after: .fixed(.seconds(100)), budget: RetryBudget.unlimited) }
                Gates(breaker)
                try SlowAnswer(firstContent: .seconds(2), tokensPerSecond: 5)
            }
            let (result, report) = try simulation.run {
                await policy.reported(stream) { attempt in
                    try await simulation.time.sleep(for: .seconds(first))
                    attempt.received(tokens: 100)
                    try await simulation.time.sleep(for: .seconds(gap))
                    attempt.received(tokens: 10)
                    // A reader that takes long makes no answer slow.
                    try await attempt.pausing { try await simulation.time.sleep(for: .seconds(60)) }
                    return 1
                }
            }
            #expect(try result.get() == 1)
            #expect(report.attempts.map(\.outcome) == [isSlow ? .slow : .success])
            #expect((breaker.currentState == .open) == isSlow)
        }
    }

    @Test func noAttemptBeginsWithLessThanItNeeds() throws {
        let simulation = Simulation(seed: 1)
        let budget = try RetryBudget("budget", .init(ratio: 0, burst: 5, minimumPerSecond: 0))
        @Sendable func policy(_ duration: Int, _ minimum: Int) throws -> Policy {
            try makePolicy(simulation.time) { () throws(ConfigurationError) in
                try Deadline(.seconds(duration), atLeast: .seconds(minimum))
                try Retry(upTo: 3, backoff: .constant(.seconds(4)), budget: budget)
                try Hedge(after: .fixed(.seconds(min(26, duration - 1))), budget: budget)
            }
        }
        // All of the time is enough.
        #expect(try simulation.run { try await policy(5, 5).run { 1 + $0.hedge } } == 1)
        // A retry at 26 s would have four seconds left, and so would the hedge.
        let (_, report) = try simulation.run {
            try await policy(30, 5).reported(stream) { _ throws(Trouble) in
                try? await simulation.time.sleep(for: .seconds(22))
                throw Trouble(.serverError)
            }
        }
        #expect(report.attempts.count == 1 && report.waited == .zero && report.ending == .deadlineExceeded)
        let (_, slow) = try simulation.run {
            try await policy(30, 5).reported(stream) { _ in try await simulation.time.sleep(for: .seconds(60)) }
        }
        #expect(slow.attempts.count == 1)
        var left = 0
        while budget.withdraw(at: simulation.time.now) { left += 1 }
        #expect(left == 5, "what was not begun was not paid for")
    }
}
