import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import Testing

/// A call is stuck after 7 s, so that a slice takes a second.
@Suite(.timeLimit(.minutes(10))) struct StuckTests {
    private let rule = CircuitBreaker.Stuck(olderThan: .seconds(7), calls: 3, share: 0)

    private func breaker(
        _ stuck: CircuitBreaker.Stuck? = nil, observer: (any Observer)? = nil,
        _ change: (inout CircuitBreaker.Configuration) -> Void = { _ in }
    ) throws -> CircuitBreaker {
        try makeBreaker(observer: observer) {
            $0.stuck = stuck ?? rule
            change(&$0)
        }
    }

    @Test func callsThatDoNotComeBackOpenIt() throws {
        let breaker = try breaker()
        let hung = try breaker.hold(3, at: at(0))
        #expect(breaker.call(.success, at: at(6.999)))
        #expect(breaker.inFlight(at: at(6.999)) == (stuck: 0, total: 3))
        let refusal = #expect(throws: Rejection.self) { try breaker.admit(at: at(8)).settle(.success, at: at(8)) }
        #expect(refusal?.reason == .breakerOpen)
        #expect(refusal?.retryAfter == .seconds(10))
        #expect(breaker.currentState == .open)
        hung.settle(.success, at: at(9))
        #expect(breaker.currentState == .open)
    }

    @Test func aCallIsFoundStuckAtThatAgeAndAtMostASeventhLater() throws {
        for start in [0, 0.001, 0.5, 0.999, 100.25] {
            for (age, state) in [(6.999, CircuitBreaker.State.closed), (8, .open)] {
                let breaker = try breaker()
                _ = try breaker.hold(3, at: at(start))
                breaker.call(.success, at: at(start + age))
                #expect(breaker.currentState == state, "\(start) + \(age)")
            }
        }
    }

    @Test func fewerThanTheNumberDoNot() throws {
        let breaker = try breaker()
        _ = try breaker.hold(2, at: at(0))
        #expect(breaker.call(.success, at: at(1_000)))
        _ = try breaker.hold(1, at: at(1_000))
        #expect(breaker.call(.success, at: at(1_006)))
        #expect(!breaker.call(.success, at: at(1_008)))
    }

    @Test func fewerThanTheShareDoNotUntilOthersCameBack() throws {
        let breaker = try breaker(.init(olderThan: .seconds(7), calls: 3, share: 0.5))
        _ = try breaker.hold(3, at: at(0))
        let others = try breaker.hold(10, at: at(7))
        #expect(breaker.call(.success, at: at(10)))
        #expect(breaker.inFlight(at: at(10)) == (stuck: 3, total: 13))
        for permit in others[0..<6] { permit.settle(.success, at: at(10)) }
        #expect(breaker.call(.success, at: at(10)))
        others[6].settle(.success, at: at(10))
        #expect(!breaker.call(.success, at: at(10)))
    }

    @Test func whoeverComesBackLeavesHoweverItEnds() throws {
        let breaker = try breaker(.init(olderThan: .seconds(7), calls: 4, share: 0))
        let ends: [(consuming Permit) -> Void] = [
            { $0.settle(.success, at: at(9)) }, { $0.settle(.neutral(.cancelled), at: at(9)) },
            { $0.settle(.failure(.timeout), at: at(9)) }, { $0.void(at: at(9)) }, { _ = consume $0 },
        ]
        for (index, end) in ends.enumerated() {
            let start = Double(index) * 100
            for early in [true, false] {
                let held = try breaker.hold(3, at: at(start))
                let permit = try breaker.admit(at: at(start))
                if early {
                    end(permit)
                    #expect(breaker.call(.success, at: at(start + 9)))
                } else {
                    #expect(breaker.inFlight(at: at(start + 9)) == (stuck: 4, total: 4))
                    end(permit)
                    #expect(breaker.call(.success, at: at(start + 9)), "end \(index)")
                }
                #expect(breaker.inFlight(at: at(start + 9)) == (stuck: 3, total: 3))
                held.settle(.success, at: at(start + 10))
                #expect(breaker.inFlight(at: at(start + 10)) == (stuck: 0, total: 0))
            }
        }
    }

    @Test func stuckCallsOfAnEarlierStateNeverCountAgain() throws {
        let breaker = try breaker()
        let hung = try breaker.hold(5, at: at(0))
        #expect(!breaker.call(.success, at: at(8)))
        for _ in 0..<2 { #expect(breaker.call(.success, at: at(18))) }
        #expect(breaker.currentState == .closed)
        #expect(breaker.inFlight(at: at(18)) == (stuck: 0, total: 0))
        for second in 18..<60 { #expect(breaker.call(.success, at: at(Double(second)))) }
        _ = try breaker.hold(2, at: at(60))
        hung.settle(.failure(.timeout), at: at(61))
        #expect(breaker.inFlight(at: at(70)) == (stuck: 2, total: 2))
        _ = try breaker.hold(1, at: at(61))
        #expect(!breaker.call(.success, at: at(70)))
    }

    @Test func aHungProbeIsTheLeasesBusiness() throws {
        let breaker = try breaker { $0.probes = 3 }
        breaker.trip(at: at(0))
        _ = try breaker.hold(3, at: at(10))
        #expect(breaker.inFlight(at: at(60)) == (stuck: 0, total: 0))
        #expect(breaker.currentState == .halfOpen)
        #expect(!breaker.call(.success, at: at(70)))  // the leases are over
        #expect(breaker.currentState == .open)
    }

    @Test func callsOfTheRampCount() throws {
        let breaker = try breaker {
            $0.ramp = .seconds(100)
            $0.probes = 1
            $0.rampFrom = 1
        }
        breaker.trip(at: at(0))
        #expect(breaker.call(.success, at: at(10)))
        _ = try breaker.hold(3, at: at(10))
        #expect(breaker.inFlight(at: at(11)).total == 3)
        #expect(!breaker.call(.success, at: at(20)))
        #expect(breaker.currentState == .open)
    }

    @Test func itIsOffByDefaultAndWhileDisabled() throws {
        let plain = try makeBreaker()
        #expect(plain.configuration.stuck == nil)
        let disabled = try breaker()
        disabled.disable(at: at(0))
        for breaker in [plain, disabled] {
            _ = try breaker.hold(100, at: at(0))
            #expect(breaker.call(.success, at: at(1_000)))
            #expect(breaker.inFlight(at: at(1_000)) == (stuck: 0, total: 0))
        }
    }

    @Test func shadowModeDecidesAndReportsOnly() throws {
        let observer = RecordingObserver()
        let breaker = try breaker(observer: observer) { $0.mode = .shadow }
        _ = try breaker.hold(3, at: at(0))
        for _ in 0..<5 { #expect(breaker.call(.success, at: at(10))) }
        #expect(observer.transitions.map(\.to) == ["open"])
        #expect(observer.shadowed.map(\.reason) == .init(repeating: .breakerOpen, count: 5))
    }

    @Test func anUpdateCountsAnewOnlyForAnotherRule() throws {
        let breaker = try breaker()
        let hung = try breaker.hold(3, at: at(0))
        var configuration = breaker.configuration
        configuration.window = .consecutive(9)
        try breaker.update(configuration)
        #expect(breaker.inFlight(at: at(8)) == (stuck: 3, total: 3))
        configuration.stuck = .init(olderThan: .seconds(1), calls: 1)
        try breaker.update(configuration)
        #expect(breaker.inFlight(at: at(8)) == (stuck: 0, total: 0))
        #expect(breaker.call(.success, at: at(8)))
        let young = try breaker.hold(1, at: at(8))
        hung.settle(.success, at: at(8))
        #expect(breaker.inFlight(at: at(8)) == (stuck: 0, total: 1))
        configuration.stuck = nil
        try breaker.update(configuration)
        #expect(breaker.call(.success, at: at(100)))
        configuration.stuck = rule
        try breaker.update(configuration)
        young.settle(.success, at: at(100))
        #expect(breaker.inFlight(at: at(100)) == (stuck: 0, total: 0))
    }

    @Test func aClockThatWentBackStartsOver() throws {
        let breaker = try breaker()
        let before = try breaker.hold(3, at: at(1_000_000))
        #expect(breaker.call(.success, at: at(999_995)), "a little late: still the newest slice")
        #expect(breaker.inFlight(at: at(1_000_000)).total == 3)
        #expect(breaker.call(.success, at: at(5)))
        let after = try breaker.hold(3, at: at(5))
        before.settle(.success, at: at(6))
        #expect(breaker.inFlight(at: at(6)) == (stuck: 0, total: 3))
        #expect(breaker.call(.success, at: at(11.9)))
        #expect(!breaker.call(.success, at: at(13)))
        after.settle(.success, at: at(13))
    }

    @Test func thirtyIdleDaysForgetNothingAndInventNothing() throws {
        let breaker = try breaker()
        let days = 30.0 * 86_400
        let held = try breaker.hold(2, at: at(0))
        #expect(breaker.call(.success, at: at(days)))
        #expect(breaker.inFlight(at: at(days)) == (stuck: 2, total: 2))
        held.settle(.success, at: at(days))
        #expect(breaker.inFlight(at: at(2 * days)) == (stuck: 0, total: 0))
        let longest = try breaker.hold(3, at: at(2 * days))
        #expect(!breaker.call(.success, at: at(3 * days)))
        longest.settle(.success, at: at(3 * days))
    }

    @Test func timesAtTheEndsOfTheRangeAreTimes() throws {
        let breaker = try breaker(.init(olderThan: .milliseconds(1), calls: 2, share: 0))
        for nanoseconds in [Int64.min, .max, 0, -1, .max, .min] {
            let now = Instant(nanoseconds: nanoseconds)
            #expect(breaker.call(.success, at: now))
            _ = breaker.inFlight(at: now)
        }
        _ = try breaker.hold(2, at: .zero)
        #expect(!breaker.call(.success, at: .distantFuture))
    }

    @Test func aPermitMayOutliveItsBreaker() throws {
        var old: CircuitBreaker? = try breaker()
        let permits = try old!.hold(3, at: at(0))
        old = nil
        let next = try breaker()  // takes over the words of the one before
        let own = try next.hold(2, at: at(0))
        permits.settle(.success, at: at(1))
        #expect(next.inFlight(at: at(1)) == (stuck: 0, total: 2))
        own.settle(.success, at: at(1))
    }

    @Test func refusesWhatCannotWork() {
        let bad: [(field: String, change: (inout CircuitBreaker.Configuration) -> Void)] = [
            ("slow", { $0.slow = .longerThan(.zero) }),
            ("slow", { $0.slow = .longerThan(.seconds(Int64.max)) }),
            ("stuck.olderThan", { $0.stuck = .init(olderThan: .microseconds(999)) }),
            ("stuck.olderThan", { $0.stuck = .init(olderThan: .seconds(Int64.max)) }),
            ("stuck.calls", { $0.stuck = .init(olderThan: .seconds(1), calls: 0) }),
            ("stuck.share", { $0.stuck = .init(olderThan: .seconds(1), share: 1.1) }),
            ("stuck.share", { $0.stuck = .init(olderThan: .seconds(1), share: .nan) }),
        ]
        for (field, change) in bad {
            let error = #expect(throws: ConfigurationError.self) {
                _ = try CircuitBreaker("b", CircuitBreaker.Configuration { change(&$0) })
            }
            #expect(error?.field == field)
        }
    }
}
