import SpillwayCore
import Testing

@Suite struct PolicyErrorTests {
    private struct Broken: OutcomeError, CustomStringConvertible {
        let outcome = Outcome.failure(.serverError, retryAfter: .seconds(4))
        let description = "broken"
    }

    @Test func theOperationsOwnErrorIsNeverLost() {
        let name = GateName(registering: "bucket")
        defer { name.release() }
        let rejection = Rejection(by: name, reason: .rateLimited, retryAfter: .seconds(1))
        let cases: [(PolicyError<Broken>, Reason, Bool, Outcome)] = [
            (.rejected(rejection, last: nil), .rateLimited, false, .neutral(.rejected, retryAfter: .seconds(1))),
            (.rejected(rejection, last: Broken()), .rateLimited, true, .neutral(.rejected, retryAfter: .seconds(1))),
            (.timedOut(.deadline, last: nil), .deadlineExceeded, false, .neutral(.timeout)),
            (.timedOut(.deadline, last: Broken()), .deadlineExceeded, true, Broken().outcome),
            (.exhausted(.budgetExhausted, attempts: 2, last: Broken()), .budgetExhausted, true, Broken().outcome),
            (.cancelled(last: Broken()), .cancelled, true, .neutral(.cancelled)),
            (.operation(Broken()), .notRetryable, true, Broken().outcome),
        ]
        for (error, reason, hasCause, outcome) in cases {
            #expect(error.reason == reason)
            #expect((error.underlying != nil) == hasCause)
            #expect(error.outcome == outcome)
            #expect("\(error)".contains("broken") == hasCause, "\(error)")
        }
        let exhausted = PolicyError<Broken>.exhausted(.attemptsExhausted, attempts: 3, last: Broken())
        #expect("\(exhausted)" == "attempts_exhausted after 3 attempts: broken")
    }

    @Test func configurationErrorsNameThePolicyTheFieldAndTheValue() {
        let error = ConfigurationError(policy: "Bucket", field: "burst", value: "0", expected: "from 1 to 9")
        #expect("\(error)" == "Bucket: burst is 0, but must be from 1 to 9")
        let check = Validation("P")
        #expect(throws: ConfigurationError.self) { try check.duration(.seconds(-1), "d") }
        #expect(throws: ConfigurationError.self) { try check.duration(.seconds(315_576_001), "d") }
        #expect(throws: ConfigurationError.self) { try check.number(.nan, "n", in: 0...1) }
        #expect(throws: ConfigurationError.self) { try check.number(.infinity, "n", in: 0...(.infinity)) }
        #expect(throws: ConfigurationError.self) { try check.name("") }
        let long = #expect(throws: ConfigurationError.self) { try check.name(String(repeating: "é", count: 101)) }
        #expect(long?.field == "name")
        #expect(throws: Never.self) { try check.name(String(repeating: "é", count: 100)) }
        let deadline = #expect(throws: ConfigurationError.self) { _ = try Deadline(.zero) }
        #expect(deadline?.policy == "Deadline")
        #expect(deadline?.field == "duration")
    }
}
