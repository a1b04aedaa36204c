import Admission
import SpillwayCore
import Testing

/// Figures that cannot be true, and clocks that go back, neither crash a quota nor lock it.
@Suite struct QuotaLiesTests {
    private func call(_ input: Int) -> Call { Call(tokens: .estimate(input: input, maxOutput: 0)) }

    private func answer(
        _ limit: Int? = nil, _ remaining: Int? = nil, reset: String? = nil, status: Int = 200
    ) -> ProviderSignals {
        var headers: [String: String] = [:]
        headers["x-ratelimit-limit-tokens"] = limit.map { "\($0)" }
        headers["x-ratelimit-remaining-tokens"] = remaining.map { "\($0)" }
        headers["x-ratelimit-reset-tokens"] = reset
        return ProviderSignals(.openAI, status: status, headers: { headers[$0] }, now: 0)
    }

    @Test func resetsFarAheadOverflowNothing() throws {
        let quota = try Quota("q", at: at(1))
        for (second, days) in [40, 80, 151, 243, 900, 1].enumerated() {
            quota.learn(answer(1, 0, reset: "\(days)d"), at: at(1 + Double(second)))
        }
        #expect(quota.standing(at: at(9)).allSatisfy { $0.perSecond > 0 })
    }

    @Test func theSlowestRateWithOthersUsingItOverflowsNothing() throws {
        let quota = try Quota("q", at: at(1))
        for step in 0..<60 { quota.learn(answer(1, 0, reset: "1400d"), at: at(1 + 10 * Double(step))) }
        #expect(quota.standing(at: at(600)).allSatisfy { $0.perSecond > 0 })
    }

    /// By exactly a minute, which once divided by 0, and by more, which made the margin negative.
    @Test(arguments: [40.0, 25]) func aClockThatGoesBackMintsNothing(back: Double) throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        quota.learn(answer(6_000, 0, reset: "0s", status: 429), sent: at(10), at: at(100))
        quota.learn(answer(6_000, 6_000, reset: "0s"), sent: at(12), at: at(back))
        var passed = 0
        while passed < 20_000, quota.refusal(call(100), at: at(400)) == nil { passed += 100 }
        #expect(passed > 5_000 && passed <= 6_000, "\(passed)")
    }

    @Test func afterAStepBackAnswersAreHeardAgain() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        quota.learn(answer(6_000, 6_000, reset: "0s"), at: at(100_000))
        for second in 1...5 { quota.learn(answer(600, 600, reset: "0s"), at: at(10 + Double(second))) }
        #expect(quota.ignored.outdated == 0)
        #expect(quota.standing(at: at(100_000)).first?.limit == 600)
        quota.learn(answer(600, 600, reset: "0s"), sent: at(12), at: at(16))
        #expect(quota.ignored.outdated == 1, "older than one that was heard since")
    }

    @Test func aLimitThatWasLearntTooSmallIsNotForEver() throws {
        let quota = try Quota("q", at: at(1))
        quota.learn(answer(10, 10, reset: "0s"), at: at(1))
        let held = try quota.admit(call(100), at: at(1))
        let refusal = try #require(quota.refusal(call(100), at: at(1)))
        #expect(refusal.reason == .rateLimited && refusal.retryAfter == .seconds(600))
        held.settle(.success, at: at(1))
        #expect(quota.refusal(call(100), at: at(1))?.retryAfter == .seconds(240), "4 bursts stay owed")
        quota.learn(answer(6_000, 5_900, reset: "1s"), at: at(2))
        #expect(quota.refusal(call(100), at: at(3)) == nil)
    }

    @Test func whatIsConfiguredBoundsACallWhateverIsLearnt() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(600)), at: at(1))
        #expect(quota.refusal(call(601), at: at(1))?.reason == .exceedsBurst)
        for second in 1...5 { quota.learn(answer(10, 10, reset: "0s"), at: at(Double(second))) }
        #expect(quota.standing(at: at(5)).first?.limit == 10)
        #expect(quota.refusal(call(601), at: at(5))?.reason == .exceedsBurst)
        #expect(quota.refusal(call(600), at: at(5)) == nil)
        // One that was learnt and is configured then is bounded, too.
        let learnt = try Quota("q", at: at(1))
        learnt.learn(answer(10, 10, reset: "0s"), at: at(1))
        try learnt.update(.init(tokens: .perMinute(20)), at: at(1))
        #expect(learnt.refusal(call(21), at: at(1))?.reason == .exceedsBurst)
    }

    @Test func aWindowThatEndsFarAheadRefusesForNoLongerThanAFilling() throws {
        let quota = try Quota("q", .init(inputTokens: .perMinute(6_000)), at: at(60))
        func learn(_ remaining: Int, _ reset: Duration, sent: Double, at now: Double) {
            var signals = ProviderSignals(.other, status: 200, headers: { _ in nil }, now: 0)
            signals.inputTokens = .init(limit: 6_000, remaining: remaining, reset: reset)
            quota.learn(signals, sent: at(sent), at: at(now))
        }
        for step in 1...50 {
            let now = 60 + Double(step) * 0.2
            try quota.admit(call(100), at: at(now)).settle(.success, at: at(now))
            learn(6_000 - step * 100, .milliseconds(Int((120 - now) * 1_000)), sent: now, at: now + 0.05)
        }
        for _ in 1...3 { learn(0, .seconds(9 * 86_400), sent: 71, at: 71) }
        let refusal = try #require(quota.refusal(call(5_000), at: at(71)))
        let standing = try #require(quota.standing(at: at(71)).first)
        let filling = Duration.seconds(Double(standing.limit) / standing.perSecond)
        #expect(try #require(refusal.retryAfter) <= filling + .seconds(1))
        #expect(filling < .seconds(1_800), "\(filling)")
    }

    @Test func aBareRefusalOfAMinuteLeavesTheDayAlone() throws {
        let quota = try Quota(
            "q", .init(requestsPerDay: .perDay(100), tokens: .perMinute(6_000), tokensPerDay: .perDay(10_000)),
            at: at(1))
        try quota.admit(call(1_000), at: at(1)).settle(.success, at: at(1))
        quota.learn(answer(status: 429), at: at(1))
        #expect(quota.remaining(at: at(1)) == [99, 0, 9_000])
        let daily = try Quota("q", .init(requestsPerDay: .perDay(100)), at: at(1))
        daily.learn(answer(status: 429), at: at(1))
        #expect(daily.refusal(call(1), at: at(1))?.retryAfter == .seconds(1))
    }

    @Test func oneAbsurdFigureLocksNobodyOutForYears() throws {
        let absurd = Measurements(usage: Usage(input: 1_000_000_000_000))
        let quota = try Quota("q", .init(tokens: .perMinute(600)), at: at(1))
        for _ in 0..<3 { try? quota.admit(call(0), at: at(1)).settle(.success, absurd, at: at(1)) }
        #expect(quota.remaining(at: at(1)) == [-1_800])
        #expect(quota.refusal(call(600), at: at(1))?.retryAfter == .seconds(240))
        let bucket = try makeBucket(.perMinute(600), burst: 600, unit: .tokens)
        for _ in 0..<3 { try? bucket.admit(call(0), at: at(1)).settle(.success, absurd, at: at(1)) }
        #expect(bucket.refusal(600, at: at(1))?.retryAfter == .seconds(240))
    }

    /// 3,000 that are owed of a limit are not owed of one of 10.
    @Test func aLimitThatShrinksForgivesWhatIsTooMuchForIt() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        try quota.admit(call(3_000), at: at(1)).settle(.success, at: at(1))
        try quota.update(.init(tokens: .perMinute(10)), at: at(1))
        #expect(quota.remaining(at: at(1)) == [-30])
    }
}
