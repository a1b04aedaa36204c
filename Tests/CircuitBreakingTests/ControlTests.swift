import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct ControlTests {
    @Test func isolateDisableAndCloseByHand() throws {
        let breaker = try makeBreaker()
        breaker.isolate(at: at(1))
        let refusal = #expect(throws: Rejection.self) { try breaker.admit(at: at(1e6)).settle(.success, at: at(1)) }
        #expect(refusal?.reason == .breakerIsolated)
        #expect(refusal?.retryAfter == nil)
        breaker.disable(at: at(2))
        for _ in 0..<100 { #expect(breaker.call(.failure(.timeout), at: at(2))) }
        #expect(breaker.currentState == .disabled)
        breaker.close(at: at(3))
        #expect(breaker.currentState == .closed)
        #expect(breaker.counts(at: at(3)).total == 0)
    }

    @Test func newsFromElsewhereEndsTheOpenTime() throws {
        let breaker = try makeBreaker()
        breaker.probe(at: at(0))
        #expect(breaker.currentState == .closed, "it does nothing unless the breaker is open")
        breaker.trip(at: at(1))
        #expect(!breaker.call(.success, at: at(2)))
        breaker.probe(at: at(2))
        for _ in 0..<2 { breaker.call(.failure(.timeout), at: at(2)) }
        #expect(breaker.currentState == .open, "probes that fail open it again, for longer")
        #expect(!breaker.call(.success, at: at(21)))
        breaker.probe(at: at(21))
        for _ in 0..<2 { #expect(breaker.call(.success, at: at(20)), "also when the clock goes back") }
        #expect(breaker.currentState == .closed)
        breaker.isolate(at: at(30))
        breaker.probe(at: at(31))
        #expect(!breaker.call(.success, at: at(31)), "what was done by hand stays")
    }

    @Test func shadowModeDecidesAndReportsButRefusesNothing() throws {
        let observer = RecordingObserver()
        let breaker = try makeBreaker(observer: observer) { $0.mode = .shadow }
        for _ in 0..<50 { #expect(breaker.call(.failure(.timeout), at: at(1))) }
        #expect(breaker.currentState == .open)
        #expect(observer.transitions.map(\.to) == ["open"])
        #expect(observer.shadowed.count == 40)
        #expect(observer.shadowed.first?.reason == .breakerOpen)
    }

    @Test func transitionsAreReportedInOrder() throws {
        let observer = RecordingObserver()
        let breaker = try makeBreaker(observer: observer)
        breaker.trip(at: at(0))
        for _ in 0..<3 { breaker.call(.failure(.timeout), at: at(10)) }
        for _ in 0..<3 { breaker.call(.success, at: at(30)) }
        #expect(
            observer.transitions.map { "\($0.from)→\($0.to)" } == [
                "closed→open", "open→half_open", "half_open→open", "open→half_open", "half_open→closed",
            ])
    }

    /// A callback that re-enters the breaker neither deadlocks nor gets ahead of what it was told.
    @Test func anObserverMayUseTheBreakerThatItObserves() throws {
        final class Meddler: Observer {
            let seen = Locked<[String]>([])
            let breaker = Locked<CircuitBreaker?>(nil)
            func changed(_ transition: Transition) {
                if transition.to == "open" { breaker.withLock { $0 }?.isolate(at: transition.at) }
                seen.withLock { $0.append(transition.to) }
            }
        }
        let meddler = Meddler()
        let breaker = try makeBreaker(observer: meddler)
        meddler.breaker.withLock { $0 = breaker }
        breaker.trip(at: at(0))
        #expect(breaker.currentState == .isolated)
        #expect(meddler.seen.withLock { $0 } == ["open", "isolated"])
        meddler.breaker.withLock { $0 = nil }
    }

    @Test func anUpdateKeepsTheState() throws {
        let breaker = try makeBreaker()
        breaker.trip(at: at(0))
        var configuration = breaker.configuration
        configuration.window = .consecutive(2)
        try breaker.update(configuration)
        #expect(breaker.currentState == .open)
        #expect(!breaker.call(.success, at: at(9)))
        for _ in 0..<3 { breaker.call(.success, at: at(10)) }
        #expect(breaker.currentState == .closed)
        breaker.call(.failure(.timeout), at: at(11))
        breaker.call(.failure(.timeout), at: at(11))
        #expect(breaker.currentState == .open)
        configuration.failureRatio = .nan
        #expect(throws: ConfigurationError.self) { try breaker.update(configuration) }
        #expect(breaker.configuration.failureRatio == 0.4)
    }

    @Test func anUpdateOfTheWindowForgetsWhatIsUnderWay() throws {
        let breaker = try makeBreaker { $0.window = .consecutive(1) }
        let permit = try breaker.admit(at: at(0))
        var configuration = breaker.configuration
        configuration.window = .calls(100)
        try breaker.update(configuration)
        permit.settle(.failure(.timeout), at: at(0))
        #expect(breaker.counts(at: at(0)).total == 0)
    }

    @Test func refusesWhatCannotWork() {
        let bad: [(field: String, change: (inout CircuitBreaker.Configuration) -> Void)] = [
            ("window.calls", { $0.window = .calls(0) }),
            ("window.time", { $0.window = .time(.seconds(-1)) }),
            ("window.slices", { $0.window = .time(.seconds(1), slices: 0) }),
            ("window.consecutive", { $0.window = .consecutive(-3) }),
            ("failureRatio", { $0.failureRatio = 0 }),
            ("failureRatio", { $0.failureRatio = .infinity }),
            ("failureRatio", { $0.failureRatio = .nan }),
            ("minimumCalls", { $0.minimumCalls = 0 }),
            ("minimumCalls", { $0.minimumCalls = 26 }),
            ("openDuration", { $0.openDuration = .zero }),
            ("openDuration", { $0.openDuration = .seconds(Int64.max) }),
            ("openGrowth", { $0.openGrowth = 0.5 }),
            ("maximumOpenDuration", { $0.maximumOpenDuration = .seconds(1) }),
            ("openJitter", { $0.openJitter = -0.1 }),
            ("probes", { $0.probes = 0 }),
            ("probeSuccessRatio", { $0.probeSuccessRatio = 1.5 }),
            ("probeLease", { $0.probeLease = .seconds(-1) }),
            ("ramp", { $0.ramp = .seconds(-1) }),
            ("rampFrom", { $0.rampFrom = 0 }),
        ]
        for (field, change) in bad {
            let error = #expect(throws: ConfigurationError.self) {
                _ = try CircuitBreaker("b", CircuitBreaker.Configuration { change(&$0) })
            }
            #expect(error?.field == field)
            #expect(error?.policy == "CircuitBreaker")
        }
    }

    @Test func aPermitMayOutliveItsBreaker() throws {
        var breaker: CircuitBreaker? = try makeBreaker { $0.window = .consecutive(1) }
        let permit = try breaker!.admit(at: at(0))
        breaker = nil
        let next = try makeBreaker { $0.window = .consecutive(1) }  // takes over the words of the one before
        permit.settle(.failure(.timeout), at: at(0))
        #expect(next.currentState == .closed)
        #expect(next.counts(at: at(0)).total == 0)
    }

    /// Random operations from many tasks at once: only legal transitions, never more probes than allowed.
    @Test func concurrentUseKeepsTransitionsLegal() async throws {
        let observer = RecordingObserver()
        let breaker = try makeBreaker(observer: observer) {
            $0.window = .calls(10)
            $0.minimumCalls = 5
            $0.openDuration = .milliseconds(1)
            $0.openGrowth = 1
        }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    let random = RandomSource.seeded(UInt64(task))
                    for step in 0..<20_000 {
                        let failed = (step / 500) % 2 == 0
                        let outcome: Outcome = failed && random.next() % 3 > 0 ? .failure(.timeout) : .success
                        breaker.call(outcome, at: at(Double(step) / 1_000))
                    }
                }
            }
        }
        let legal: Set = [
            "closed→open", "open→half_open", "half_open→open", "half_open→closed",
        ]
        let seen = observer.transitions
        #expect(seen.count > 10)
        #expect(seen.allSatisfy { legal.contains("\($0.from)→\($0.to)") })
        for (one, next) in zip(seen, seen.dropFirst()) { #expect(one.to == next.from) }
    }
}
