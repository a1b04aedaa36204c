import SpillwayCore
import Testing

@Suite struct ProviderSignalsTests {
    /// 2026-01-01T00:00:00Z.
    private let now = 1_767_225_600.0

    private func signals(
        _ provider: ProviderSignals.Provider, _ status: Int, _ headers: [String: String], _ body: String = ""
    ) -> ProviderSignals {
        ProviderSignals(provider, status: status, headers: { headers[$0] }, body: body.utf8, now: now)
    }

    private func signals(_ provider: ProviderSignals.Provider, _ headers: [String: String]) -> ProviderSignals {
        signals(provider, 200, headers)
    }

    @Test func openAI() {
        let answer = signals(
            .openAI,
            [
                "x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499",
                "x-ratelimit-reset-requests": "120ms", "x-ratelimit-limit-tokens": "30000",
                "x-ratelimit-remaining-tokens": "9000", "x-ratelimit-reset-tokens": "6m0s",
            ])
        #expect(answer.requests == .init(limit: 500, remaining: 499, reset: .milliseconds(120)))
        #expect(answer.tokens == .init(limit: 30_000, remaining: 9_000, reset: .seconds(360)))
        #expect(answer.kind == .answered && answer.unreadable == 0 && answer.retryAfter == nil)
    }

    @Test func aProjectsOwnLimitCountsWhereLessIsLeft() {
        var headers = [
            "x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "20000",
            "x-ratelimit-limit-project-tokens": "10000", "x-ratelimit-remaining-project-tokens": "100",
        ]
        #expect(signals(.openAI, headers).tokens == .init(limit: 10_000, remaining: 100))
        headers["x-ratelimit-remaining-project-tokens"] = "9999"
        #expect(signals(.openAI, headers).tokens == .init(limit: 30_000, remaining: 20_000))
        headers["x-ratelimit-limit-tokens"] = nil
        headers["x-ratelimit-remaining-tokens"] = nil
        #expect(signals(.openAI, headers).tokens == .init(limit: 10_000, remaining: 9_999))
    }

    @Test func anthropic() {
        let answer = signals(
            .anthropic,
            [
                "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:07Z",
                "anthropic-ratelimit-input-tokens-limit": "40000",
                "anthropic-ratelimit-input-tokens-remaining": "40000",
                "anthropic-ratelimit-input-tokens-reset": "2025-12-31T23:59:59Z",
                "anthropic-ratelimit-output-tokens-limit": "8000",
                "anthropic-ratelimit-output-tokens-remaining": "7000",
                "anthropic-ratelimit-output-tokens-reset": "2026-01-01T00:00:01.5Z",
            ])
        #expect(answer.requests == .init(limit: 50, remaining: 0, reset: .seconds(7)))
        #expect(answer.inputTokens == .init(limit: 40_000, remaining: 40_000, reset: .zero), "already past")
        #expect(answer.outputTokens == .init(limit: 8_000, remaining: 7_000, reset: .milliseconds(1_500)))
        #expect(answer.tokens == nil && answer.unreadable == 0)
    }

    @Test func resetsAreMeasuredByTheAnswersOwnClock() {
        let headers = [
            "date": "Thu, 01 Jan 2026 01:00:00 GMT", "anthropic-ratelimit-tokens-limit": "10",
            "anthropic-ratelimit-tokens-reset": "2026-01-01T01:00:30Z",
        ]
        #expect(signals(.anthropic, headers).tokens?.reset == .seconds(30))
    }

    @Test func azureSaysThatItDoesNotKnow() {
        let unknown = signals(
            .azure,
            [
                "x-ratelimit-limit-requests": "-1", "x-ratelimit-remaining-requests": "-1",
                "x-ratelimit-reset-requests": "0", "x-ratelimit-limit-tokens": "600",
                "x-ratelimit-remaining-tokens": "10", "x-ratelimit-reset-tokens": "45",
            ])
        #expect(unknown.requests == nil && unknown.unreadable == 0)
        #expect(unknown.tokens == .init(limit: 600, remaining: 10, reset: .seconds(45)))
        #expect(
            signals(.azure, 429, ["retry-after-ms": "1500", "retry-after": "9"]).retryAfter == .milliseconds(1_500))
    }

    @Test func gemini() {
        func body(_ quota: String) -> String {
            #"""
            {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
            {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"\#(quota)"}]},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}}
            """#
        }
        let minute = signals(.gemini, 429, [:], body("GenerateRequestsPerMinutePerProjectPerModel"))
        #expect(minute.kind == .quotaPerMinute && minute.retryAfter == .seconds(22))
        let day = signals(.gemini, 429, [:], body("GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
        #expect(day.kind == .quotaPerDay && day.retryAfter == nil, "the quota's name overrides the delay")
        #expect(day.outcome.cause == .quotaExhausted)
    }

    @Test func kindsAreToldApartWithTheCausesThatPoliciesKnow() {
        let cases: [(Int, String, ProviderSignals.Kind, Outcome.Cause)] = [
            (200, "", .answered, .none), (429, "", .quotaPerMinute, .rateLimited),
            (429, #"{"error":{"code":"insufficient_quota"}}"#, .quotaPerDay, .quotaExhausted),
            (400, #"{"error":{"message":"Your credit balance is too low"}}"#, .quotaPerDay, .quotaExhausted),
            (529, #"{"error":{"type":"overloaded_error"}}"#, .capacity, .overloaded), (503, "", .capacity, .overloaded),
            (429, #"{"__type":"ModelNotReadyException"}"#, .capacity, .overloaded),
            (429, #"{"__type":"ThrottlingException"}"#, .quotaPerMinute, .rateLimited),
            (401, "", .authentication, .authentication), (402, "", .authentication, .authentication),
            (403, "", .authentication, .authentication), (400, "", .request, .invalidRequest),
            (404, "", .request, .invalidRequest), (413, "", .request, .invalidRequest),
            (422, "", .request, .invalidRequest), (400, "context_length_exceeded", .request, .contextTooLong),
            (400, "content_policy_violation", .request, .contentFiltered), (500, "", .failure, .serverError),
            (408, #"{"__type":"ModelTimeoutException"}"#, .failure, .timeout),
            (424, #"{"__type":"ModelStreamErrorException"}"#, .failure, .serverError),
        ]
        for (status, body, kind, cause) in cases {
            let answer = signals(.other, status, [:], body)
            #expect(answer.kind == kind && answer.cause == cause, "\(status) \(body)")
            #expect(answer.outcome == HTTPAnswer(status: status, body: body.utf8).outcome(now: now))
        }
    }

    @Test func whatCannotBeReadIsCountedAndPassedOver() {
        let answer = signals(
            .openAI, 429,
            [
                "x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "-7",
                "x-ratelimit-reset-requests": "soon", "x-ratelimit-limit-tokens": "0",
                "x-ratelimit-remaining-tokens": "99999999999999999999", "retry-after": "later",
            ])
        #expect(answer.requests == nil && answer.tokens == nil && answer.retryAfter == nil)
        #expect(answer.unreadable == 6)
        let more = signals(.openAI, ["x-ratelimit-limit-tokens": "10", "x-ratelimit-remaining-tokens": "11"])
        #expect(more.tokens == .init(limit: 10) && more.unreadable == 1, "more left than there is")
        #expect(signals(.other, 429, ["retry-after": "-3"]).retryAfter == .zero)
        #expect(signals(.other, 429, ["retry-after": "1e300"]).retryAfter == .seconds(315_576_000))
        #expect(signals(.other, 429, ["retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"]).retryAfter == .zero)
    }

    /// Bytes at random, and good answers with bytes changed: read or passed over, always in range.
    @Test func nothingThatIsSentCrashesIt() {
        let good = [
            "500", "30000", "6m0s", "12ms", "2026-01-01T00:00:00Z", "-1", "0", "Sun, 06 Nov 1994 08:49:37 GMT", "22.5s",
        ]
        let body = Array(#"{"error":{"details":[{"quotaId":"xPerDay"},{"retryDelay":"22s"}]}}"#.utf8)
        forSeeds(3_000) { seed, random in
            func text() -> String {
                var bytes = Array(good[Int(random.next(through: UInt64(good.count - 1)))].utf8)
                for _ in 0..<random.next(through: 3) {
                    bytes[Int(random.next(through: UInt64(bytes.count - 1)))] = UInt8(truncatingIfNeeded: random.next())
                }
                return String(decoding: bytes, as: UTF8.self)
            }
            var mutated = body
            for _ in 0..<random.next(through: 6) {
                mutated[Int(random.next(through: UInt64(body.count - 1)))] = UInt8(truncatingIfNeeded: random.next())
            }
            var sent: [String: String] = [:]
            let status = Int(random.next(through: 620))
            for provider in ProviderSignals.Provider.allCases {
                let answer = ProviderSignals(
                    provider, status: status,
                    headers: { name in
                        if let known = sent[name] { return known }
                        sent[name] = text()
                        return sent[name]
                    }, body: mutated.prefix(Int(random.next(through: 80))), now: now)
                for reading in [answer.requests, answer.tokens, answer.inputTokens, answer.outputTokens] {
                    guard let reading else { continue }
                    #expect(reading.limit.map { $0 > 0 && $0 <= Usage.most } ?? true, "seed \(seed)")
                    #expect(reading.remaining.map { $0 >= 0 && $0 <= reading.limit ?? .max } ?? true, "seed \(seed)")
                    #expect(reading.reset.map { $0 >= .zero && $0 <= .seconds(315_576_000) } ?? true, "seed \(seed)")
                }
                #expect(answer.retryAfter.map { $0 >= .zero } ?? true, "seed \(seed)")
                #expect((answer.kind == .answered) == (status < 400), "seed \(seed)")
            }
        }
    }
}
