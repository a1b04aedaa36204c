import Spillway
import SpillwayTesting
import Testing

struct TargetChoiceTests {
    private struct Down: OutcomeError {
        let outcome: Outcome
    }

    private let time = ManualTime()

    @Test func `targets that refuse leave their calls to all the others evenly`() async throws {
        let names = (0..<8).map { "t\($0)" }
        let targets = try names.enumerated().map { index, name in
            let breaker = try CircuitBreaker(name)
            if index < 4 { breaker.isolate(at: time.now) }
            return Target(name, breaker)
        }
        let policy = try Policy("p", time: time) { Targets(.rotating, targets) }
        var calls: [String: Int] = [:]
        for _ in 0..<400 {
            let target = try await policy.perform { attempt in attempt.target ?? "none" }
            calls[target, default: 0] += 1
        }
        #expect(calls == ["t4": 100, "t5": 100, "t6": 100, "t7": 100])
    }

    @Test func `what one target asks for does not hold up another`() async throws {
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none)
            Targets(.ladder, [Target("a"), Target("b")])
        }
        // Nobody moves time: a wait would never end.
        let answer = try await policy.perform { attempt in
            if attempt.target == "a" { throw Down(outcome: .neutral(.rateLimited, retryAfter: .seconds(20))) }
            return attempt.number
        }
        #expect(answer == 2)
    }

    @Test(arguments: [
        (Outcome.Cause.serverError, ["a", "b", "b", "b"]), (.timeout, ["a", "b"]), (.truncated, ["a", "b"]),
    ])
    func `a target that was silent is not asked again in the same call`(
        second: Outcome.Cause, expected: [String]
    ) async throws {
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, on: .transient.union([.truncated]), budget: .unlimited)
            Targets(.ladder, [Target("a"), Target("b")])
        }
        // The next call begins anew.
        for _ in 0..<2 {
            var asked: [String] = []
            let error = await #expect(throws: Down.self) {
                try await policy.perform(Call(idempotency: .idempotent)) { attempt in
                    asked.append(attempt.target ?? "none")
                    throw Down(outcome: .of(attempt.target == "a" ? .timeout : second))
                }
            }
            #expect(error?.outcome.cause == second)
            #expect(asked == expected)
        }
    }

    @Test func `a target that stands for several is asked again after a silence`() async throws {
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, on: .transient.union([.truncated]), budget: .unlimited)
            Targets(.ladder, [Target("a", gates: [], isFleet: true)])
        }
        let number = try await policy.perform(Call(idempotency: .idempotent)) { attempt in
            if attempt.number < 4 { throw Down(outcome: .failure(attempt.number == 1 ? .truncated : .timeout)) }
            return attempt.number
        }
        #expect(number == 4)
    }

    @Test func `a policy without targets tries again after a silence`() async throws {
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, budget: .unlimited)
        }
        let number = try await policy.perform(Call(idempotency: .idempotent)) { attempt in
            if attempt.number < 4 { throw Down(outcome: .failure(.timeout)) }
            return attempt.number
        }
        #expect(number == 4)
    }
}
