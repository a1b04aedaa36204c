import CircuitBreaking
import SpillwayCore
import Testing

@Suite struct WindowTests {
    @Test func opensAtFortyPercentOfTheLast25Calls() throws {
        let breaker = try makeBreaker { $0.minimumCalls = 25 }
        for _ in 0..<15 { breaker.call(.success, at: at(1)) }
        for _ in 0..<9 { breaker.call(.failure(.serverError), at: at(1)) }
        #expect(breaker.currentState == .closed)
        breaker.call(.failure(.serverError), at: at(1))
        #expect(breaker.currentState == .open)
    }

    @Test func aRatioOfSixtyPercentIsNotAHundred() throws {
        for window in [CircuitBreaker.Window.calls(10), .calls(100), .time(.seconds(10))] {
            let breaker = try makeBreaker {
                $0.window = window
                $0.failureRatio = 0.6
                $0.minimumCalls = 10
            }
            for _ in 0..<4 { breaker.call(.success, at: at(1)) }
            for _ in 0..<5 { breaker.call(.failure(.timeout), at: at(1)) }
            #expect(breaker.currentState == .closed)
            breaker.call(.failure(.timeout), at: at(1))
            #expect(breaker.currentState == .open)
        }
    }

    @Test func aSuccessThatFillsTheMinimumCanOpen() throws {
        for window in [CircuitBreaker.Window.calls(20), .calls(60), .time(.seconds(10))] {
            let breaker = try makeBreaker {
                $0.window = window
                $0.minimumCalls = 10
            }
            for _ in 0..<9 { breaker.call(.failure(.timeout), at: at(1)) }
            #expect(breaker.currentState == .closed)
            breaker.call(.success, at: at(1))
            #expect(breaker.currentState == .open)
        }
    }

    @Test func consecutiveFailuresOpenAndASuccessBetweenThemDoesNot() throws {
        let breaker = try makeBreaker { $0.window = .consecutive(3) }
        breaker.call(.failure(.transport), at: at(1))
        breaker.call(.failure(.transport), at: at(1))
        breaker.call(.success, at: at(1))
        breaker.call(.failure(.transport), at: at(1))
        breaker.call(.failure(.transport), at: at(1))
        #expect(breaker.currentState == .closed)
        breaker.call(.failure(.transport), at: at(1))
        #expect(breaker.currentState == .open)
    }

    @Test func neutralOutcomesCountForNothing() throws {
        let breaker = try makeBreaker { $0.minimumCalls = 2 }
        breaker.call(.failure(.serverError), at: at(1))
        for _ in 0..<100 {
            breaker.call(.neutral(.rateLimited), at: at(1))
            breaker.call(.neutral(.cancelled), at: at(1))
            _ = try breaker.admit(at: at(1))  // dropped
        }
        #expect(breaker.counts(at: at(1)) == (failures: 1, total: 1))
        breaker.call(.failure(.serverError), at: at(1))
        #expect(breaker.currentState == .open)
    }

    @Test func slicesExpireAndNothingLeaksAfterThirtyIdleDays() throws {
        let breaker = try makeBreaker {
            $0.window = .time(.seconds(10), slices: 10)
            $0.minimumCalls = 100
        }
        for second in 0..<10 { breaker.call(.failure(.timeout), at: at(Double(second))) }
        #expect(breaker.counts(at: at(9)) == (failures: 10, total: 10))
        #expect(breaker.counts(at: at(10)) == (failures: 9, total: 9))
        #expect(breaker.counts(at: at(14.5)) == (failures: 5, total: 5))
        #expect(breaker.counts(at: at(30 * 86_400)) == (failures: 0, total: 0))
        breaker.call(.failure(.timeout), at: at(5))  // a stale time goes to the newest slice
        #expect(breaker.counts(at: at(30 * 86_400)) == (failures: 1, total: 1))
    }

    /// Each kind of window against a model that keeps every outcome.
    @Test func windowsAgreeWithAModel() throws {
        try forSeeds(300) { seed, random in
            let size = Int.random(in: 1...120, using: &random)
            let byTime = Bool.random(using: &random)
            let breaker = try makeBreaker {
                $0.window = byTime ? .time(.seconds(size), slices: size) : .calls(size)
                $0.minimumCalls = byTime ? 1_000_000 : size
                $0.failureRatio = 1
            }
            var history: [(second: Int, failed: Bool)] = []
            var second = 0
            for _ in 0..<200 {
                // One success in a hundred calls at least keeps the breaker closed at a ratio of 1.
                let failed = history.count % 20 != 0 && Bool.random(using: &random)
                second += Int.random(in: 0...(size / 4 + 1), using: &random)
                breaker.call(failed ? .failure(.timeout) : .success, at: at(Double(second)))
                if breaker.currentState != .closed { return }
                history.append((second, failed))
                let seen = byTime ? history.filter { $0.second > second - size } : history.suffix(size)
                let counts = breaker.counts(at: at(Double(second)))
                #expect(counts.total == seen.count, "seed \(seed)")
                #expect(counts.failures == seen.count { $0.failed }, "seed \(seed)")
            }
        }
    }
}
