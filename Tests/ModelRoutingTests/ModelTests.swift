import ModelRouting
import SpillwayCore
import Testing

@Suite struct ModelTests {
    func fail(_ model: Model, _ outcome: Outcome, at second: Double) throws {
        try model.admit(Call(), at: after(second)).settle(outcome, at: after(second))
    }

    @Test func coolsAfterFailuresInARowForLongerEachTime() throws {
        let model = try Model("m", .init { $0.maximumCooldown = .seconds(4) })
        for second in [0.0, 1] { try fail(model, .failure(.serverError), at: second) }
        #expect(model.coolsUntil(at: after(1)) == nil)
        try fail(model, .success, at: 2)
        for second in [3.0, 4] { try fail(model, .failure(.serverError), at: second) }
        #expect(model.coolsUntil(at: after(4)) == nil, "a success began the row anew")
        try fail(model, .failure(.timeout), at: 5)
        #expect(model.coolsUntil(at: after(5)) == after(6))
        try fail(model, .failure(.timeout), at: 6)
        #expect(model.coolsUntil(at: after(6)) == after(8))
        try fail(model, .failure(.timeout), at: 8)
        try fail(model, .failure(.timeout), at: 12)
        #expect(model.coolsUntil(at: after(12)) == after(16), "no longer than the longest")
        #expect(model.coolsUntil(at: after(16)) == nil)
    }

    @Test func aSuccessSinceEndsTheCoolingAndOlderResultsSayNothing() throws {
        let model = try Model("m", .init { $0.failuresToCool = 1 })
        let first = try model.admit(Call(), at: after(0)), second = try model.admit(Call(), at: after(0))
        try fail(model, .failure(.serverError), at: 1)
        first.settle(.success, at: after(1.5))
        #expect(model.coolsUntil(at: after(1.5)) == after(2), "it began before the failure")
        try fail(model, .success, at: 1.6)
        #expect(model.coolsUntil(at: after(1.6)) == nil)
        second.settle(.failure(.timeout), at: after(30))
        #expect(model.coolsUntil(at: after(30)) == nil, "it began before the success")
        try fail(model, .failure(.timeout), at: 31)
        #expect(model.coolsUntil(at: after(31)) == after(32))
    }

    @Test func whatAProviderAsksForOutlastsASuccess() throws {
        let model = try Model("m")
        try fail(model, .neutral(.quotaExhausted), at: 0)
        try fail(model, .success, at: 1)
        #expect(model.coolsUntil(at: after(1)) == after(30))
    }

    /// A cool-down of 60 s does not become one of 0.7 s.
    @Test func whatAProviderAsksForIsKept() throws {
        let model = try Model("m")
        try fail(model, .neutral(.rateLimited, retryAfter: .seconds(60)), at: 0)
        try fail(model, .neutral(.rateLimited, retryAfter: .milliseconds(700)), at: 1)
        #expect(model.coolsUntil(at: after(1)) == after(60))
        let quiet = try Model("q")
        try fail(quiet, .neutral(.rateLimited), at: 0)
        #expect(quiet.coolsUntil(at: after(0)) == after(1))
        let broke = try Model("b")
        try fail(broke, .neutral(.quotaExhausted), at: 0)
        #expect(broke.coolsUntil(at: after(0)) == after(30))
    }

    @Test(arguments: [Outcome.Cause.contentFiltered, .invalidRequest, .contextTooLong, .cancelled, .unacceptable])
    func aCallsOwnFaultCoolsNothing(_ cause: Outcome.Cause) throws {
        let model = try Model("m", .init { $0.failuresToCool = 1 })
        try fail(model, .neutral(cause), at: 0)
        #expect(model.coolsUntil(at: after(0)) == nil)
    }

    @Test func latencyIsThatOfTheFirstContentWhereThereIsOne() throws {
        let model = try Model("m")
        #expect(model.latency(at: noon) == nil)
        let stream = Call(streams: true)
        try model.admit(stream, at: noon).settle(
            .success, Measurements(firstContent: .milliseconds(300)), at: after(20))
        #expect(model.latency(at: after(20)) == .milliseconds(300))
        try model.admit(stream, at: noon).settle(.success, at: after(20))
        #expect(model.latency(at: after(20)) == .milliseconds(300), "how long a stream took says nothing")
        try model.admit(Call(), at: after(20)).settle(.success, at: after(21))
        #expect(model.latency(at: after(21))! > .milliseconds(300))
    }

    @Test func anOldLatencyFades() throws {
        let model = try Model("m")
        try model.admit(Call(), at: noon).settle(.success, at: after(1))
        #expect(model.latency(at: after(1)) == .seconds(1))
        #expect(model.latency(at: after(11)) == .milliseconds(500))
        #expect(model.latency(at: after(16)) == .milliseconds(375))
        #expect(model.latency(at: after(1e6)) == .nanoseconds(1), "but that it answered stays known")
        #expect(model.latency(at: noon) == .seconds(1), "a clock that goes back does no harm")
    }

    @Test func callsUnderWayAreCountedOnce() throws {
        let model = try Model("m")
        let first = try model.admit(Call(), at: noon), second = try model.admit(Call(), at: noon)
        #expect(model.inFlight == 2)
        first.void(at: noon)
        #expect(model.inFlight == 1)
        second.settle(.neutral(.cancelled), at: noon)
        #expect(model.inFlight == 0 && model.latency(at: noon) == nil)
        do { _ = try model.admit(Call(), at: noon) }
        #expect(model.inFlight == 0, "one that is dropped is settled")
    }

    @Test func aPermitOfAModelThatIsGoneCountsForNothing() throws {
        var permit: RawPermit?
        do { permit = try Model("old").admit(Call(), at: noon).take() }
        let model = try Model("new")
        permit?.settle(.failure(.serverError), at: noon)
        #expect(model.inFlight == 0)
    }

    @Test func costsAreExactAndNeverWrapAround() {
        let call = Call(tokens: .estimate(input: 1_500, maxOutput: 500))
        #expect(Model.Cost.free.nanoDollars(call, at: noon) == 0)
        #expect(
            Model.Cost.perMillion(input: 2_500_000_000, output: 10_000_000_000).nanoDollars(call, at: noon) == 8_750_000
        )
        #expect(Model.Cost.perMillion(input: .max, output: .max).nanoDollars(call, at: noon) == .max)
    }
}
