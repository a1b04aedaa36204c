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
}
