import Admission
import SpillwayCore
import Testing

/// What must hold for the rules that go by round trips: no ratchet up, no pin down.
@Suite struct LimitRuleTests {
    static let rules: [ConcurrencyLimit.Rule] = [
        .gradient(), .vegas(), .aimd(latency: .milliseconds(1_250)),
    ]

    private let good = queueing(1, capacity: 40)
    private let slow = queueing(4, capacity: 40)
    private let fair = 25...120

    /// Far more callers than the service bears, for an hour: the limit finds the service's capacity of 40 and stays there.
    @Test(arguments: rules) func aLastingOverloadDoesNotBecomeNormal(_ rule: ConcurrencyLimit.Rule) throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(rule), in: 4...500))
        loop.run(seconds: 600, callers: 1_000, good)
        var highest = 0
        for _ in 0..<100 {
            loop.run(seconds: 30, callers: 1_000, good)
            highest = max(highest, loop.limit.limit)
        }
        #expect(fair.contains(highest), "\(highest)")
        let typical = loop.typicalLimit(seconds: 200, good)
        #expect(fair.contains(typical), "\(typical)")
        loop.drain()
        #expect(loop.limit.inFlight == 0)
    }

    /// The service becomes four times slower by itself, then good again, twice: the limit comes back each time.
    @Test(arguments: [ConcurrencyLimit.Rule.gradient(), .vegas()])
    func aSlowerServiceDoesNotPinItDown(_ rule: ConcurrencyLimit.Rule) throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(rule), in: 4...500))
        loop.run(seconds: 600, callers: 1_000, good)
        for _ in 0..<2 {
            loop.run(seconds: 6_000, callers: 1_000, slow)
            let whileSlow = loop.typicalLimit(seconds: 600, slow)
            #expect(fair.contains(whileSlow), "\(whileSlow)")
            loop.run(seconds: 2_000, callers: 1_000, good)
            let after = loop.typicalLimit(seconds: 200, good)
            #expect(fair.contains(after), "\(after)")
        }
    }

    /// An outage of refusals brings it down; when that is over it grows again.
    @Test(arguments: rules) func anOutageDoesNotPinItDown(_ rule: ConcurrencyLimit.Rule) throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(rule), in: 4...500))
        loop.run(seconds: 120, callers: 1_000, good)
        loop.run(seconds: 240, callers: 1_000, outcome: { _ in .failure(.overloaded) }) { _ in 0.05 }
        #expect(loop.limit.limit <= 20, "\(loop.limit.limit)")
        loop.run(seconds: 1_200, callers: 1_000, good)
        let typical = loop.typicalLimit(seconds: 200, good)
        #expect(fair.contains(typical), "\(typical)")
    }

    @Test(arguments: rules) func itDoesNotGrowWhileItIsNotInUse(_ rule: ConcurrencyLimit.Rule) throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(rule), in: 4...500, initially: 30))
        loop.run(seconds: 600, callers: 5, good)
        #expect(loop.limit.limit == 30)
    }

    /// Neutral outcomes, permits that are voided, and failures that say nothing of capacity teach nothing.
    @Test(arguments: rules + [.model(firstContent: .seconds(1), tokensPerSecond: 20)])
    func whatSaysNothingTeachesNothing(_ rule: ConcurrencyLimit.Rule) throws {
        let limit = try makeLimit(.adaptive(rule), in: 4...500)
        let outcomes: [Outcome?] = [
            .neutral(.cancelled), .of(.rateLimited), .of(.rejected), nil, .failure(.serverError), .failure(.connect),
        ]
        for step in 0..<2_000 {
            let begin = Double(step) / 10
            for permit in limit.fill(at: at(begin)) {
                permit.settle(outcomes[step % outcomes.count], Measurements(), at: at(begin + 30))
            }
            #expect(limit.inFlight == 0)
        }
        #expect(limit.limit == 20)
    }

    /// Samples of calls that were admitted before the limit changed do not count.
    @Test func callsFromBeforeAChangeDoNotCount() throws {
        let rule = ConcurrencyLimit.Rule.aimd(latency: .milliseconds(500), samples: 5)
        let limit = try makeLimit(.adaptive(rule), in: 4...500, initially: 40)
        let old = limit.fill()
        // The configuration is set anew: a new epoch begins, and these slow calls are of the old one.
        try limit.update(limit.configuration, at: at(1))
        for permit in old { permit.settle(.success, at: at(60)) }
        #expect(limit.limit == 40)
        for permit in limit.fill(at: at(61)) { permit.settle(.success, at: at(90)) }
        #expect(limit.limit == 36, "one window, one step: the rest of the calls are of before it")
    }

    /// The clock goes back, stops or leaps: no crash, no change that a good hour does not mend.
    @Test(arguments: rules + [.model(firstContent: .seconds(1), tokensPerSecond: 20)])
    func aClockThatLies(_ rule: ConcurrencyLimit.Rule) throws {
        let limit = try makeLimit(.adaptive(rule), in: 4...500)
        let fast = Measurements(firstContent: .milliseconds(100), tokensPerSecond: 90)
        for _ in 0..<50 {
            for permit in limit.fill(at: at(1_000)) { permit.settle(.success, fast, at: at(1_000)) }
            for permit in limit.fill(at: at(1_000)) { permit.settle(.success, fast, at: at(1)) }
        }
        #expect(limit.limit == 20, "a call that took no time, or less, teaches nothing")
        for permit in limit.fill(at: at(1_000)) { permit.settle(.success, fast, at: at(1e9)) }
        for permit in limit.fill(at: .distantFuture) { permit.settle(.success, fast, at: .distantFuture) }
        for permit in limit.fill(at: Instant(nanoseconds: .min)) { permit.settle(.success, fast, at: .distantFuture) }
        #expect(limit.inFlight == 0)
        var loop = ClosedLoop(limit)
        loop.run(seconds: 1_200, callers: 1_000, measured: { _ in fast }, good)
        let typical = loop.typicalLimit(seconds: 200, good)
        #expect(typical >= 25, "\(typical)")
    }

    @Test func anUpdateKeepsWhatWasLearntAndStaysInTheRange() throws {
        var loop = ClosedLoop(try makeLimit(.adaptive(.gradient()), in: 4...500))
        loop.run(seconds: 300, callers: 1_000, good)
        let found = loop.limit.limit
        #expect(found > 25)
        try loop.limit.update(.init(.adaptive(.gradient()), in: 4...400), at: at(loop.now))
        #expect(loop.limit.limit == found)
        try loop.limit.update(.init(.adaptive(.gradient()), in: 4...22), at: at(loop.now))
        #expect(loop.limit.limit == 22)
        try loop.limit.update(.init(.fixed(50)), at: at(loop.now))
        #expect(loop.limit.limit == 50)
        loop.drain()
        #expect(loop.limit.inFlight == 0)
    }

    /// The arithmetic of one window each, as its source has it.
    @Test func aWindowOfEachRule() throws {
        func after(_ rule: ConcurrencyLimit.Rule, _ outcome: Outcome = .success) throws -> Int {
            let limit = try makeLimit(.adaptive(rule), in: 4...500, initially: 100)
            for permit in limit.fill(at: at(1)) { permit.settle(outcome, at: at(1.2)) }
            return limit.limit
        }
        // 100 × 0.8 + (100 × 1 + 4) × 0.2
        #expect(try after(.gradient(samples: 100)) == 100)
        #expect(try after(.gradient(queue: 40, samples: 100)) == 108)
        #expect(try after(.aimd(samples: 100)) == 101)
        #expect(try after(.aimd(latency: .milliseconds(100), samples: 100)) == 90)
        #expect(try after(.aimd(samples: 100), .failure(.overloaded)) == 90)
        #expect(try after(.vegas(samples: 100)) == 112, "beta × log₁₀(100)")
        #expect(try after(.vegas(samples: 100), .failure(.timeout)) == 98)
    }
}
