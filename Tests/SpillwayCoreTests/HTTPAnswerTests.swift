import SpillwayCore
import Testing

@Suite struct HTTPAnswerTests {
    private func outcome(_ status: Int, _ headers: [String: String] = [:], _ body: String = "") -> Outcome {
        HTTPAnswer(status: status, headers: { headers[$0] }, body: body.utf8).outcome(now: 1_000)
    }

    @Test func plainStatusesMeanWhatHTTPSays() {
        let expected: [(Int, Outcome.Cause)] = [
            (200, .none), (204, .none), (301, .none), (400, .invalidRequest), (401, .authentication),
            (403, .authentication), (402, .authentication), (404, .invalidRequest), (408, .timeout),
            (413, .invalidRequest), (418, .invalidRequest), (422, .invalidRequest), (425, .overloaded),
            (429, .rateLimited), (500, .serverError), (502, .serverError), (503, .overloaded), (504, .timeout),
            (529, .overloaded), (599, .serverError), (-1, .none), (99_999, .serverError),
        ]
        for (status, cause) in expected { #expect(outcome(status) == .of(cause), "\(status)") }
    }

    @Test func openAI() {
        let limited = outcome(
            429, ["retry-after-ms": "1250", "retry-after": "2"],
            #"{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#)
        #expect(limited == .neutral(.rateLimited, retryAfter: .milliseconds(1_250)))
        #expect(outcome(429, [:], #"{"error":{"code":"insufficient_quota"}}"#).cause == .quotaExhausted)
        #expect(outcome(400, [:], #"{"error":{"code":"context_length_exceeded"}}"#).cause == .contextTooLong)
        #expect(
            outcome(400, [:], #"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#).cause
                == .contextTooLong)
        #expect(outcome(400, [:], #"{"error":{"code":"content_policy_violation"}}"#).cause == .contentFiltered)
        #expect(outcome(503, [:], #"{"error":{"message":"The engine is currently overloaded"}}"#).cause == .overloaded)
    }

    /// 429 is the caller's own quota, 529 is everybody's.
    @Test func anthropic() {
        let mine = outcome(429, ["retry-after": "30"], #"{"type":"error","error":{"type":"rate_limit_error"}}"#)
        #expect(mine == .neutral(.rateLimited, retryAfter: .seconds(30)))
        let everybodys = outcome(529, [:], #"{"type":"error","error":{"type":"overloaded_error"}}"#)
        #expect(everybodys == .failure(.overloaded))
        #expect(outcome(500, [:], #"{"type":"error","error":{"type":"overloaded_error"}}"#).cause == .overloaded)
        #expect(
            outcome(400, [:], #"{"error":{"message":"prompt is too long: 210000 tokens"}}"#).cause == .contextTooLong)
        #expect(
            outcome(400, [:], #"{"error":{"message":"Your credit balance is too low to access the API"}}"#).cause
                == .quotaExhausted)
    }

    @Test func azure() {
        let filtered = #"{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#
        #expect(outcome(400, [:], filtered).cause == .contentFiltered)
        #expect(outcome(429, ["retry-after-ms": "oops", "retry-after": "9"]).retryAfter == .seconds(9))
        #expect(outcome(429, ["retry-after-ms": "-1"]).retryAfter == .zero)
    }

    /// A quota of the day that comes with a hint of 22 s is a quota of the day.
    @Test func gemini() {
        let perMinute = #"""
            {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
            {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinute"}]},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22.5s"}]}}
            """#
        #expect(outcome(429, [:], perMinute) == .neutral(.rateLimited, retryAfter: .milliseconds(22_500)))
        let perDay = perMinute.replacing("PerMinute", with: "PerDayPerProjectPerModel-FreeTier")
        #expect(outcome(429, [:], perDay).cause == .quotaExhausted)
        #expect(outcome(503, [:], #"{"error":{"status":"UNAVAILABLE"}}"#).cause == .overloaded)
    }

    @Test func bedrock() {
        #expect(outcome(429, [:], #"{"__type":"ThrottlingException"}"#).cause == .rateLimited)
        #expect(outcome(429, [:], #"{"__type":"ModelNotReadyException"}"#).cause == .overloaded)
        #expect(outcome(503, [:], #"{"__type":"ServiceUnavailableException"}"#).cause == .overloaded)
        #expect(outcome(408, [:], #"{"__type":"ModelTimeoutException"}"#).cause == .timeout)
        #expect(outcome(424, [:], #"{"__type":"ModelStreamErrorException"}"#).cause == .serverError)
        #expect(outcome(424).cause == .invalidRequest)
    }

    @Test func datesAreMeasuredByTheAnswersOwnClock() {
        let headers = [
            "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT", "date": "Sun, 06 Nov 1994 08:47:37 GMT",
        ]
        #expect(outcome(503, headers).retryAfter == .seconds(120))
        var broken = headers
        broken["date"] = "yesterday"
        let answer = HTTPAnswer(status: 503, headers: { [broken] in broken[$0] })
        #expect(answer.retryAfter(now: 784_111_767) == .seconds(10))
    }

    @Test func whatCannotBeReadIsPassedOver() {
        for body in [
            "", "{", "null", #"{"retryDelay":22}"#, #"{"retryDelay":{"seconds":"22"}}"#, #"{"retryDelay":"soon"}"#,
            #""retrydelay""#, #""retrydelay":"#, #""retrydelay":""#, "\u{0}\u{0}",
        ] {
            #expect(outcome(429, ["retry-after": "soon"], body) == .neutral(.rateLimited), "\(body)")
        }
        let bytes: [UInt8] = [0xFF, 0xFE, 0x22, 0xC3, 0x28]
        #expect(HTTPAnswer(status: 429, body: bytes).outcome(now: 0) == .neutral(.rateLimited))
        let late = [UInt8](repeating: 0x20, count: HTTPAnswer.bodyLimit) + Array("insufficient_quota".utf8)
        #expect(HTTPAnswer(status: 429, body: late).cause == .rateLimited)
    }

    @Test func randomBodiesNeverCrash() {
        let good = Array(#"{"error":{"details":[{"retryDelay":"22s"}],"code":"insufficient_quota"}}"#.utf8)
        forSeeds(1_000) { seed, random in
            var bytes = good
            for _ in 0..<4 {
                bytes[Int(random.next(through: UInt64(bytes.count - 1)))] = UInt8(truncatingIfNeeded: random.next())
            }
            let status = Int(random.next(through: 700))
            let outcome = HTTPAnswer(status: status, body: bytes.prefix(Int(random.next(through: 80)))).outcome(now: 0)
            #expect((outcome.verdict == .success) == (status < 400), "seed \(seed)")
        }
    }
}
