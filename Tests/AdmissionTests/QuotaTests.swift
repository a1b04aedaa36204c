import Admission
import SpillwayCore
import Testing

@Suite struct QuotaTests {
    private func call(_ input: Int, _ output: Int = 0) -> Call {
        Call(tokens: .estimate(input: input, maxOutput: output))
    }

    private func used(_ input: Int, _ output: Int = 0) -> Measurements {
        Measurements(usage: Usage(input: input, output: output))
    }

    private func make(_ configuration: Quota.Configuration) throws -> Quota {
        try Quota("openai/m", configuration, at: at(1))
    }

    @Test func allLimitsAreAskedAndAllOrNoneAreCharged() throws {
        let quota = try make(
            .init(
                requests: .perMinute(60), tokens: .perMinute(6_000), inputTokens: .perMinute(4_000),
                outputTokens: .perMinute(3_000), concurrency: 3))
        let permit = try quota.admit(call(1_000, 500), at: at(1))
        #expect(quota.remaining(at: at(1)) == [59, 4_500, 3_000, 2_500, 2])
        // Refused by one of them, and the others were not charged.
        #expect(quota.refusal(call(100, 2_600), at: at(1))?.gate.description == "openai/m output tokens")
        #expect(quota.remaining(at: at(1)) == [59, 4_500, 3_000, 2_500, 2])
        permit.settle(.success, used(900, 100), at: at(1))
        #expect(quota.remaining(at: at(1)) == [59, 5_000, 3_100, 2_900, 3])
    }

    @Test func theLimitWithTheLongestWaitRefuses() throws {
        let quota = try make(.init(requests: .perMinute(60, burst: 1), tokens: .perMinute(600)))
        try quota.admit(call(600), at: at(1)).settle(.success, at: at(1))
        let long = try #require(quota.refusal(call(100), at: at(1)))
        #expect(long.gate.description == "openai/m tokens" && long.reason == .rateLimited)
        #expect(long.retryAfter == .seconds(10))
        let short = try #require(quota.refusal(call(1), at: at(1)))
        #expect(short.gate.description == "openai/m requests" && short.retryAfter == .seconds(1))
        #expect(quota.refusal(call(100), at: at(10.999)) != nil)
        #expect(quota.refusal(call(100), at: at(11)) == nil)
    }

    @Test func everyReasonSaysItself() throws {
        let quota = try make(
            .init(requests: .perMinute(60), requestsPerDay: .perDay(2), tokens: .perMinute(600), concurrency: 1))
        #expect(quota.refusal(call(601), at: at(1))?.reason == .exceedsBurst)
        #expect(quota.refusal(call(601), at: at(1))?.retryAfter == nil)
        let held = try quota.admit(call(1), at: at(1))
        #expect(quota.refusal(call(1), at: at(1))?.reason == .concurrencyLimited)
        held.settle(.success, at: at(1))
        try quota.admit(call(1), at: at(1)).settle(.success, at: at(1))
        let ofDay = try #require(quota.refusal(call(1), at: at(1)))
        #expect(ofDay.reason == .quotaExhausted && ofDay.gate.description == "openai/m requests per day")
        #expect(ofDay.retryAfter == .seconds(43_200))
    }

    @Test func whatWasUsedBeyondMakesOthersWait() throws {
        let quota = try make(.init(tokens: .perMinute(600)))
        try quota.admit(call(100), at: at(1)).settle(.success, used(1_000), at: at(1))
        #expect(quota.standing(at: at(1)).first?.remaining == -400)
        #expect(quota.refusal(call(10), at: at(1))?.retryAfter == .seconds(41))
        #expect(quota.refusal(call(10), at: at(42)) == nil)
    }

    /// A bucket that was never full since the admission has lost nothing, so all of it can come back.
    @Test func aBusyBucketGivesEverythingBack() throws {
        let quota = try make(.init(tokens: .perMinute(600)))
        let early = try quota.admit(call(500), at: at(1))
        for second in 2...40 {
            try quota.admit(call(10), at: at(Double(second))).settle(.success, at: at(Double(second)))
        }
        #expect(quota.remaining(at: at(40)) == [100])
        early.settle(.success, used(0), at: at(40))
        #expect(quota.remaining(at: at(40)) == [600 - 10])
    }

    /// An idle one has: what dripped in since is not given again.
    @Test func anIdleBucketGivesBackOnlyWhatIsOwed() throws {
        let quota = try make(.init(tokens: .perMinute(600)))
        let early = try quota.admit(call(500), at: at(1))
        try quota.admit(call(300), at: at(41)).settle(.success, at: at(41))
        #expect(quota.remaining(at: at(41)) == [200])
        early.settle(.success, used(0), at: at(41))
        #expect(quota.remaining(at: at(41)) == [300], "100 of its 500 were owed when the other came")
        #expect(quota.refusal(call(301), at: at(41)) != nil)
    }

    @Test func twoCallsDoNotGiveTheSameBack() throws {
        let quota = try make(.init(tokens: .perMinute(600)))
        let one = try quota.admit(call(300), at: at(1)), two = try quota.admit(call(300), at: at(1))
        #expect(quota.remaining(at: at(46)) == [450])
        one.void(at: at(46))
        #expect(quota.remaining(at: at(46)) == [600])
        two.void(at: at(46))
        try quota.admit(call(600), at: at(46)).settle(.success, at: at(46))
        #expect(quota.refusal(call(1), at: at(46)) != nil)
    }

    @Test func anUpdateKeepsWhatWasUsedAndWhatIsHeld() throws {
        let quota = try make(.init(requests: .perMinute(60), tokens: .perMinute(600)))
        let held = try quota.admit(call(400), at: at(1))
        try quota.update(.init(tokens: .perMinute(1_200), inputTokens: .perMinute(1_000)), at: at(1))
        #expect(quota.remaining(at: at(1)) == [800, 1_000], "the new limit does not know the call")
        held.settle(.success, used(100), at: at(1))
        #expect(quota.remaining(at: at(1)) == [1_100, 1_000])
        #expect(quota.standing(at: at(1)).map(\.held) == [0, 0])
        #expect(throws: ConfigurationError.self) { try quota.update(.init(tokens: .perMinute(0)), at: at(1)) }
        #expect(quota.configuration.tokens == .perMinute(1_200))
    }

    @Test func badConfigurationsAreRefusedWithTheField() {
        let bad: [(Quota.Configuration, String)] = [
            (.init(requests: .perMinute(.nan)), "requests: rate.units"),
            (.init(tokens: .perMinute(-1)), "tokens: rate.units"),
            (.init(tokens: .perMinute(10, burst: 0)), "tokens: burst"), (.init(concurrency: 0), "concurrency"),
            (.init(longestPause: .zero), "longestPause"), (.init(longestPause: .seconds(90_000)), "longestPause"),
            (.init(outputTokens: .perSecond(1e12)), "output tokens: rate"),
        ]
        for (configuration, field) in bad {
            do throws(ConfigurationError) {
                _ = try Quota("q", configuration)
                Issue.record("accepted: \(field)")
            } catch {
                #expect(error.field == field)
            }
        }
        #expect(throws: ConfigurationError.self) { try Quota("") }
    }

    @Test func inShadowModeItRefusesNothingAndReports() throws {
        let seen = SeenRejections()
        let quota = try Quota("q", .init(requests: .perMinute(60, burst: 1), shadow: true), observer: seen, at: at(1))
        for _ in 0..<3 { try quota.admit(call(1), at: at(1)).settle(.success, at: at(1)) }
        #expect(seen.count == 2)
    }

    @Test func permitsOfAQuotaThatIsGoneCountForNothing() throws {
        var old: RawPermit?
        do { old = try make(.init(tokens: .perMinute(600))).admit(call(500), at: at(1)).take() }
        // The states wait for their next life; this one may get the same.
        let next = try (0..<4).map { _ in try make(.init(tokens: .perMinute(600))) }
        for quota in next { try quota.admit(call(500), at: at(1)).settle(.success, used(500), at: at(1)) }
        old?.settle(nil, at: at(1))
        for quota in next { #expect(quota.remaining(at: at(1)) == [100]) }
    }

    @Test func aPermitIsSettledOnceHoweverOftenItsPlaceIsUsed() throws {
        let quota = try make(.init(tokens: .perMinute(600), concurrency: 2))
        let first = try quota.admit(call(100), at: at(1)).take()
        first.settle(.success, used(0), at: at(1))
        let second = try quota.admit(call(300), at: at(1))
        first.settle(nil, at: at(1))
        #expect(quota.callsUnderWay == 1 && quota.remaining(at: at(1)) == [300, 1])
        second.settle(.success, used(300), at: at(1))
        #expect(quota.remaining(at: at(1)) == [300, 2])
    }

    @Test func moreCallsThanPlacesAreKeptApart() throws {
        let quota = try make(.init(tokens: .perDay(1_000_000)))
        // So much is owed all the time that nothing drips in unseen.
        try quota.admit(call(500_000), at: at(1)).settle(.success, used(500_000), at: at(1))
        var held: [(RawPermit, Int)] = []
        for index in 1...500 { held.append((try quota.admit(call(index), at: at(1)).take(), index)) }
        for (permit, index) in held.reversed() { permit.settle(.success, used(index / 2), at: at(1)) }
        let spent = (1...500).reduce(0) { $0 + $1 / 2 }
        #expect(quota.remaining(at: at(1)) == [500_000 - spent] && quota.callsUnderWay == 0)
    }

    @Test func timeThatGoesBackMintsNothing() throws {
        let quota = try make(.init(tokens: .perMinute(600)))
        let early = try quota.admit(call(300), at: at(100))
        try quota.admit(call(300), at: at(110)).settle(.success, used(300), at: at(110))
        early.void(at: at(5))
        #expect(quota.remaining(at: at(110)) == [300])
        #expect(quota.refusal(call(301), at: at(50)) != nil)
    }
}

/// Counts what a gate in shadow mode would have refused.
private final class SeenRejections: Observer {
    private let seen = Locked(0)
    var count: Int { seen.withLock { $0 } }
    func wouldHaveRejected(_ rejection: Rejection) { seen.withLock { $0 += 1 } }
}

extension Quota {
    /// What is left of each limit.
    func remaining(at now: Instant) -> [Int] { standing(at: now).map(\.remaining) }

    /// Lets the call in for good, or says why not.
    func refusal(_ call: Call, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try admit(call, at: now).settle(.success, at: now)
            return nil
        } catch {
            return error
        }
    }
}
