import CircuitBreaking
import SpillwayCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct SlowTests {
    private func breaker(_ slow: CircuitBreaker.Slow) throws -> CircuitBreaker {
        try makeBreaker {
            $0.window = .consecutive(3)
            $0.slow = slow
        }
    }

    @Test func slowCallsCountAsTheRuleSays() throws {
        // The outcome, how long it took, and whether that is a failure.
        let cases: [(CircuitBreaker.Slow, Outcome, Double, Bool)] = [
            (.ignored, .slow, 60, false), (.ignored, .success, 60, false),
            (.reported, .slow, 0, true), (.reported, .success, 60, false),
            (.longerThan(.seconds(5)), .slow, 0, true), (.longerThan(.seconds(5)), .success, 5, false),
            (.longerThan(.seconds(5)), .success, 5.001, true),
            (.ignored, .failure(.slow), 0, true),
            (.longerThan(.seconds(5)), .neutral(.cancelled), 60, false),
        ]
        for (slow, outcome, seconds, fails) in cases {
            let breaker = try breaker(slow)
            for _ in 0..<3 { try breaker.admit(at: at(10)).settle(outcome, at: at(10 + seconds)) }
            #expect((breaker.currentState == .open) == fails, "\(slow), \(outcome), \(seconds) s")
        }
    }

    @Test func onlyWhatIsReportedCountsByDefault() {
        #expect(CircuitBreaker.Configuration().slow == .reported)
    }

    @Test func failedAndSlowCallsShareOneRatio() throws {
        for window in [CircuitBreaker.Window.calls(20), .calls(100), .time(.seconds(60))] {
            let breaker = try makeBreaker {
                $0.window = window
                $0.minimumCalls = 20
                $0.failureRatio = 0.5
            }
            for _ in 0..<10 { breaker.call(.success, at: at(1)) }
            for _ in 0..<5 { breaker.call(.failure(.serverError), at: at(1)) }
            for _ in 0..<4 { breaker.call(.slow, at: at(1)) }
            #expect(breaker.counts(at: at(1)) == (failures: 9, total: 19))
            breaker.call(.slow, at: at(1))
            #expect(breaker.currentState == .open)
        }
    }

    @Test func aSlowProbeHasFailed() throws {
        let breaker = try makeBreaker { $0.slow = .longerThan(.seconds(5)) }
        breaker.trip(at: at(0))
        for _ in 0..<2 { try breaker.admit(at: at(10)).settle(.success, at: at(16)) }
        #expect(breaker.currentState == .open)
    }

    @Test func aClockThatWentBackMakesNothingSlow() throws {
        let breaker = try breaker(.longerThan(.seconds(5)))
        for _ in 0..<9 { try breaker.admit(at: at(1_000)).settle(.success, at: at(10)) }
        #expect(breaker.currentState == .closed)
        let ends = (Instant(nanoseconds: .min), Instant(nanoseconds: .max))
        for _ in 0..<9 { try breaker.admit(at: ends.1).settle(.success, at: ends.0) }
        #expect(breaker.currentState == .closed)
        for _ in 0..<3 { try breaker.admit(at: ends.0).settle(.success, at: ends.1) }
        #expect(breaker.currentState == .open)
    }

    @Test func anUpdateHoldsForCallsUnderWay() throws {
        let breaker = try breaker(.longerThan(.seconds(50)))
        for limit in [CircuitBreaker.Slow.ignored, .longerThan(.seconds(2))] {
            let permits = try (0..<3).map { _ in try breaker.admit(at: at(10)).take() }
            var configuration = breaker.configuration
            configuration.slow = limit
            try breaker.update(configuration)
            for permit in permits { permit.settle(.success, at: at(15)) }
            #expect((breaker.currentState == .open) == (limit != .ignored))
        }
    }
}
