import Admission
import SpillwayCore
import Testing

@Suite struct QuotaLearningTests {
    private func call(_ input: Int) -> Call { Call(tokens: .estimate(input: input, maxOutput: 0)) }

    private func answer(
        limit: Int? = nil, remaining: Int? = nil, reset: String? = nil, status: Int = 200, retryAfter: String? = nil,
        body: String = ""
    ) -> ProviderSignals {
        var headers: [String: String] = [:]
        headers["x-ratelimit-limit-tokens"] = limit.map { "\($0)" }
        headers["x-ratelimit-remaining-tokens"] = remaining.map { "\($0)" }
        headers["x-ratelimit-reset-tokens"] = reset
        headers["retry-after"] = retryAfter
        return ProviderSignals(.openAI, status: status, headers: { headers[$0] }, body: body.utf8, now: 0)
    }

    private func tokens(_ quota: Quota, at now: Instant) -> Quota.Standing? {
        quota.standing(at: now).first { $0.dimension == .tokens }
    }

    @Test func limitsThatAreNotConfiguredAreLearnt() throws {
        let quota = try Quota("q", at: at(1))
        #expect(quota.standing(at: at(1)).isEmpty && quota.refusal(call(1_000_000), at: at(1)) == nil)
        quota.learn(answer(limit: 6_000, remaining: 3_000, reset: "30s"), at: at(1))
        let learnt = try #require(tokens(quota, at: at(1)))
        #expect(learnt.limit == 6_000 && learnt.perSecond == 100)
        #expect(learnt.remaining == 3_000)
    }

    @Test(arguments: [3_000.0, 12_000]) func aWrongConfigurationIsCorrected(configured: Double) throws {
        let quota = try Quota("q", .init(tokens: .perMinute(configured)), at: at(1))
        for step in 0..<10 {
            quota.learn(answer(limit: 6_000, remaining: 5_000, reset: "10s"), at: at(1 + Double(step) / 10))
        }
        let learnt = try #require(tokens(quota, at: at(2)))
        #expect(learnt.limit == 6_000 && abs(learnt.perSecond - 100) < 20)
    }

    @Test func withinWhatIsConfiguredNothingGrows() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(3_000), learning: .withinConfigured), at: at(1))
        for _ in 0..<10 { quota.learn(answer(limit: 6_000, remaining: 6_000, reset: "0s"), at: at(1)) }
        #expect(try #require(tokens(quota, at: at(1))).limit == 3_000)
        for _ in 0..<10 { quota.learn(answer(limit: 600, remaining: 600, reset: "0s"), at: at(1)) }
        #expect(try #require(tokens(quota, at: at(1))).limit == 600)
        let deaf = try Quota("q", .init(tokens: .perMinute(3_000), learning: .refusals), at: at(1))
        for _ in 0..<10 { deaf.learn(answer(limit: 600, remaining: 0, reset: "60s"), at: at(1)) }
        #expect(try #require(tokens(deaf, at: at(1))).remaining == 3_000)
    }

    /// What was let in after the request was sent, the provider had not counted when it answered.
    @Test func callsThatTheProviderHasNotCountedYetCountOnTop() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        try quota.admit(call(1_000), at: at(1)).settle(.success, at: at(1))
        try quota.admit(call(2_000), at: at(2)).settle(.success, at: at(2))
        // Asked at 1 s, told at 3 s: 1,000 were used then.
        quota.learn(answer(limit: 6_000, remaining: 5_000, reset: "10s"), sent: at(1), at: at(3))
        let left = try #require(tokens(quota, at: at(3))).remaining
        #expect((3_000...3_300).contains(left), "\(left)")
    }

    @Test func anAnswerOlderThanOneThatWasHeardSaysNothing() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        quota.learn(answer(limit: 6_000, remaining: 6_000, reset: "0s"), sent: at(10), at: at(11))
        quota.learn(answer(limit: 6_000, remaining: 0, reset: "60s"), sent: at(5), at: at(12))
        #expect(try #require(tokens(quota, at: at(12))).remaining == 6_000)
        #expect(quota.ignored.outdated == 1)
    }

    @Test func oneOddAnswerNeitherHalvesTheRateNorLocksOut() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        for step in 0..<20 {
            let now = at(1 + Double(step))
            try quota.admit(call(100), at: now).settle(.success, at: now)
            quota.learn(answer(limit: 6_000, remaining: 5_900, reset: "1s"), sent: now, at: now)
        }
        quota.learn(answer(limit: 600, remaining: 0, reset: "3000s"), at: at(21))
        let after = try #require(tokens(quota, at: at(21)))
        #expect(after.limit == 6_000 && after.perSecond > 90)
        #expect(after.remaining > 2_000, "the half of what it said")
        quota.learn(answer(limit: 6_000, remaining: 5_900, reset: "1s"), at: at(22))
        #expect(quota.refusal(call(3_000), at: at(22)) == nil)
    }

    /// However long headers lie, after one filling of the bucket a call of any size passes again.
    @Test func nobodyIsLockedOutForLongerThanOneFilling() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        for step in 0..<200 {
            quota.learn(answer(limit: 6_000, remaining: 0, reset: "60s"), at: at(1 + Double(step) / 100))
        }
        #expect(quota.refusal(call(100), at: at(3)) != nil)
        // Others are thought to use nine tenths at most.
        #expect(quota.refusal(call(100), at: at(3 + 620)) == nil)
        let short = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        for step in 0..<30 {
            short.learn(answer(limit: 6_000, remaining: 0, reset: "2s"), at: at(1 + Double(step) / 1_000))
        }
        #expect(short.refusal(call(5_900), at: at(4)) == nil, "never longer than the reset")
    }

    @Test func limitsOfTheDayAreTakenForThatWhenThreeAnswersSaySo() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        for step in 1...3 {
            quota.learn(answer(limit: 86_400, remaining: 86_300, reset: "100s"), at: at(Double(step)))
            let day = quota.standing(at: at(Double(step))).first { $0.dimension == .tokensPerDay }
            #expect((day != nil) == (step == 3))
            if let day { #expect(day.limit == 86_400 && day.perSecond == 1) }
        }
        #expect(try #require(tokens(quota, at: at(3))).limit == 6_000)
    }

    /// A window of a minute: what is used stays used until it ends, and then all is there.
    @Test func fixedWindowsAreFoundOut() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(60))
        var now = 60.0
        for step in 1...50 {
            now = 60 + Double(step) * 0.2
            try quota.admit(call(100), at: at(now)).settle(.success, at: at(now))
            let reset = "\(Int((120 - now) * 1_000))ms"
            quota.learn(
                answer(limit: 6_000, remaining: 6_000 - step * 100, reset: reset), sent: at(now), at: at(now + 0.05))
        }
        #expect((900...1_100).contains(try #require(tokens(quota, at: at(now + 0.1))).remaining))
        #expect((900...1_100).contains(try #require(tokens(quota, at: at(119))).remaining), "nothing drips in")
        let refusal = try #require(quota.refusal(call(2_000), at: at(100)))
        #expect((.seconds(19)..<(.seconds(22))).contains(try #require(refusal.retryAfter)))
        #expect(quota.refusal(call(5_900), at: at(121.2)) == nil)
    }

    @Test func aRefusalPausesForAsLongAsItSaysAndNoLongerThanAllowed() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000), longestPause: .seconds(100)), at: at(1))
        quota.learn(answer(status: 429, retryAfter: "7"), at: at(1))
        let refusal = try #require(quota.refusal(call(1), at: at(2)))
        #expect(refusal.reason == .rateLimited && refusal.retryAfter == .seconds(6) && refusal.gate.description == "q")
        #expect(quota.refusal(call(1), at: at(8)) == nil)
        quota.learn(answer(status: 429, retryAfter: "1e300"), at: at(10))
        #expect(quota.refusal(call(1), at: at(109)) != nil)
        #expect(quota.refusal(call(1), at: at(110)) == nil)
        quota.learn(answer(status: 429, retryAfter: "-5"), at: at(120))
        #expect(quota.refusal(call(1), at: at(120)) == nil)
    }

    @Test func aRefusalThatSaysNothingIsBelievedToo() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        quota.learn(answer(status: 429), at: at(1))
        #expect(quota.refusal(call(100), at: at(1))?.retryAfter == .seconds(1))
        let bare = try Quota("q", at: at(1))
        bare.learn(answer(status: 429), at: at(1))
        #expect(bare.refusal(call(1), at: at(1.5))?.reason == .rateLimited)
        #expect(bare.refusal(call(1), at: at(2)) == nil)
    }

    @Test func aQuotaOfTheDayIsNotAskedAgainBeforeItsReset() throws {
        let body = #"{"error":{"details":[{"quotaId":"RequestsPerDay"},{"retryDelay":"22s"}]}}"#
        let quota = try Quota("q", .init(longestPause: .seconds(900)), at: at(1))
        quota.learn(ProviderSignals(.gemini, status: 429, headers: { _ in nil }, body: body.utf8, now: 0), at: at(1))
        let refusal = try #require(quota.refusal(call(1), at: at(100)))
        #expect(refusal.reason == .quotaExhausted && refusal.retryAfter == .seconds(801), "22 s is not the reset")
        quota.learn(
            answer(limit: 100, remaining: 0, reset: "5h0m0s", status: 429, body: "insufficient_quota"), at: at(200))
        #expect(quota.refusal(call(1), at: at(200))?.retryAfter == .seconds(18_000))
        quota.reinstate()
        #expect(quota.refusal(call(1), at: at(200))?.reason != .quotaExhausted)
    }

    @Test func aKeyThatIsRefusedIsRetiredUntilReinstated() throws {
        for status in [401, 402, 403] {
            let quota = try Quota("q", at: at(1))
            quota.learn(answer(status: status), at: at(1))
            #expect(quota.isRetired && quota.refusal(call(1), at: at(1e6))?.reason == .keyRetired)
            quota.reinstate()
            #expect(quota.refusal(call(1), at: at(1e6)) == nil)
        }
    }

    @Test func capacityAndBadRequestsChangeNothing() throws {
        let quota = try Quota("q", .init(tokens: .perMinute(6_000)), at: at(1))
        for status in [529, 503, 400, 404, 413, 422, 500] {
            quota.learn(answer(status: status, retryAfter: "30"), at: at(1))
            #expect(quota.refusal(call(0), at: at(1)) == nil, "\(status)")
        }
        #expect(try #require(tokens(quota, at: at(1))).remaining == 6_000)
        // And what such a call held comes back whole.
        try quota.admit(call(500), at: at(1)).settle(.failure(.overloaded), at: at(1))
        #expect(try #require(tokens(quota, at: at(1))).remaining == 6_000)
    }

    @Test func whatCannotBeReadIsCounted() throws {
        let quota = try Quota("q", at: at(1))
        let odd = ["x-ratelimit-limit-tokens": "lots", "x-ratelimit-reset-tokens": "soon"]
        quota.learn(ProviderSignals(.openAI, status: 200, headers: { odd[$0] }, now: 0), at: at(1))
        #expect(quota.ignored.unreadable == 2 && quota.standing(at: at(1)).isEmpty)
    }

    /// Whatever is told, limits stay limits, and all is open again after the longest pause and a filling.
    @Test func answersAtRandomBreakNothing() throws {
        try forSeeds(300) { seed, random in
            let quota = try Quota("q", .init(tokens: .perMinute(6_000), longestPause: .seconds(60)), at: at(1))
            var now = at(1), held: [HeldCall] = []
            for _ in 0..<200 {
                now = now.advanced(by: .milliseconds(Int64(random.next(through: 3_000))))
                let texts = ["0", "1", "600", "6000", "999999999999", "-1", "x", "1s", "0s", "9999h", "3ms", "60s"]
                let seedOfAnswer = random.next()
                let signals = ProviderSignals(
                    .openAI, status: [200, 200, 200, 429, 503, 400][Int(random.next(through: 5))],
                    headers: { name in
                        guard name != "date" else { return nil }
                        let mix = name.utf8.reduce(seedOfAnswer) { ($0 &* 31) ^ UInt64($1) } >> 7
                        return mix % 3 == 0 ? nil : texts[Int(mix % UInt64(texts.count))]
                    }, now: 0)
                let sent = now.advanced(by: .milliseconds(-Int64(random.next(through: 5_000))))
                quota.learn(signals, sent: random.next(through: 1) == 0 ? sent : nil, at: now)
                do throws(Rejection) { held.append(HeldCall(try quota.admit(call(50), at: now), 50)) } catch {}
                if held.count > 5 { _ = held.removeFirst().end(&random, at: now) }
                for standing in quota.standing(at: now) {
                    #expect(standing.limit > 0 && standing.perSecond > 0, "seed \(seed)")
                }
            }
            for call in held { _ = call.end(&random, at: now) }
            #expect(quota.callsUnderWay == 0, "seed \(seed)")
            #expect(quota.standing(at: now).allSatisfy { $0.held == 0 }, "seed \(seed)")
        }
    }
}
