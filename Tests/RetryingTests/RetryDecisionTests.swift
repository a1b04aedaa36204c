import Retrying
import SpillwayCore
import Testing

@Suite struct RetryDecisionTests {
    private func decide(
        _ outcome: Outcome, upTo limit: Int = 3, attempt: Int = 1, idempotency: Call.Idempotency = .idempotent,
        deadline: Instant? = nil, burst: Int = 10, on causes: Outcome.Causes = .transient,
        backoff: Backoff? = nil, maximumHint: Duration = .seconds(60)
    ) throws -> Retry.Decision {
        let wait = try backoff ?? .constant(.seconds(1))
        let retry = try Retry(
            upTo: limit, backoff: wait, on: causes, budget: try makeBudget(burst: burst), maximumHint: maximumHint)
        return retry.decide(
            after: outcome, attempt: attempt, previous: 0, idempotency: idempotency, deadline: deadline, at: at(100))
    }

    /// Waiting does not fill a quota of the day, whatever hint comes with it.
    @Test func aQuotaOfTheDayIsNotTriedAgain() {
        #expect(!Outcome.Causes.transient.contains(.quotaExhausted))
    }

    @Test func aTransientFailureIsTriedAgain() throws {
        for cause in [
            Outcome.Cause.connect, .transport, .timeout, .serverError, .overloaded, .rateLimited, .malformed, .unknown,
        ] {
            #expect(try decide(.of(cause)) == .retry(after: 1_000_000_000), "\(cause)")
        }
    }

    @Test func whatWillFailAgainIsNot() throws {
        for cause in [
            Outcome.Cause.quotaExhausted, .authentication, .invalidRequest, .contextTooLong, .contentFiltered,
            .truncated, .rejected, .unacceptable, .custom(3), .none,
        ] {
            #expect(try decide(.of(cause)) == .giveUp(.notRetryable), "\(cause)")
            #expect(try decide(.of(cause), on: [cause]) == .retry(after: 1_000_000_000), "\(cause)")
        }
        #expect(try decide(.of(.cancelled)) == .giveUp(.cancelled))
        #expect(try decide(.of(.cancelled), on: [.cancelled]) == .giveUp(.cancelled))
    }

    @Test func onlyWorkThatIsIdempotentOrWasNeverBegunIsTriedAgain() throws {
        for cause in [Outcome.Cause.transport, .timeout, .serverError, .malformed, .unknown] {
            #expect(try decide(.of(cause), idempotency: .unknown) == .giveUp(.mayHaveBegun), "\(cause)")
            #expect(try decide(.of(cause), idempotency: .key("k")) == .retry(after: 1_000_000_000), "\(cause)")
        }
        for cause in [Outcome.Cause.connect, .overloaded, .rateLimited] {
            #expect(try decide(.of(cause), idempotency: .unknown) == .retry(after: 1_000_000_000), "\(cause)")
        }
    }

    @Test func attemptsAreCounted() throws {
        #expect(try decide(.of(.timeout), upTo: 2, attempt: 2) == .retry(after: 1_000_000_000))
        #expect(try decide(.of(.timeout), upTo: 2, attempt: 3) == .giveUp(.attemptsExhausted))
        #expect(try decide(.of(.timeout), upTo: 0) == .giveUp(.attemptsExhausted))
    }

    @Test func aHintIsKeptOrTheCallGivesUp() throws {
        let asked = Outcome.of(.rateLimited, retryAfter: .seconds(120))
        #expect(try decide(asked) == .giveUp(.hintTooLong))
        #expect(try decide(asked, maximumHint: .seconds(120)) == .retry(after: 120_000_000_000))
        #expect(try decide(asked, deadline: at(219), maximumHint: .seconds(200)) == .giveUp(.deadlineExceeded))
        #expect(try decide(asked, deadline: at(220), maximumHint: .seconds(200)) == .giveUp(.deadlineExceeded))
        #expect(try decide(asked, deadline: at(221), maximumHint: .seconds(200)) == .retry(after: 120_000_000_000))
        // A hint below the backoff does not shorten it.
        #expect(try decide(.of(.rateLimited, retryAfter: .zero)) == .retry(after: 1_000_000_000))
        let huge = Outcome.of(.rateLimited, retryAfter: .seconds(Int64.max))
        #expect(try decide(huge, maximumHint: .seconds(315_576_000)) == .giveUp(.hintTooLong))
    }

    @Test func aHintIsNeverCutByJitter() throws {
        try forSeeds(500) { seed, random in
            let hint = Duration.nanoseconds(Int64(random.next(through: 60_000_000_000)))
            let jitter = [Backoff.Jitter.none, .full, .equal, .decorrelated][Int(random.next(through: 3))]
            let backoff = try Backoff.exponential(from: .milliseconds(100), jitter: jitter)
            let retry = try Retry(upTo: 100, backoff: backoff, budget: .unlimited, random: random)
            let decision = retry.decide(
                after: .of(.overloaded, retryAfter: hint), attempt: Int(1 + random.next(through: 99)), previous: 0,
                idempotency: .unknown, deadline: nil, at: at(1))
            guard case .retry(let wait) = decision else {
                Issue.record("seed \(seed): \(decision)")
                return
            }
            #expect(wait >= hint.clampedNanoseconds, "seed \(seed)")
        }
    }

    @Test func aWaitThatEndsAtTheDeadlineIsTooLong() throws {
        #expect(try decide(.of(.timeout), deadline: at(101)) == .giveUp(.deadlineExceeded))
        #expect(try decide(.of(.timeout), deadline: at(101.001)) == .retry(after: 1_000_000_000))
        #expect(try decide(.of(.timeout), deadline: at(5)) == .giveUp(.deadlineExceeded))
        #expect(try decide(.of(.timeout), deadline: .distantFuture) == .retry(after: 1_000_000_000))
    }

    @Test func theBudgetIsChargedOnlyForARetry() throws {
        let budget = try makeBudget(burst: 2)
        let retry = try Retry(upTo: 1, backoff: .constant(.seconds(1)), budget: budget)
        func decide(_ cause: Outcome.Cause, attempt: Int = 1, deadline: Instant? = nil) -> Retry.Decision {
            retry.decide(
                after: .of(cause), attempt: attempt, previous: 0, idempotency: .idempotent, deadline: deadline,
                at: at(100))
        }
        for _ in 0..<10 {
            #expect(decide(.invalidRequest) == .giveUp(.notRetryable))
            #expect(decide(.timeout, attempt: 2) == .giveUp(.attemptsExhausted))
            #expect(decide(.timeout, deadline: at(100.5)) == .giveUp(.deadlineExceeded))
            #expect(decide(.cancelled) == .giveUp(.cancelled))
        }
        #expect(budget.balance(at: at(100)) == 2)
        #expect(decide(.timeout) == .retry(after: 1_000_000_000))
        #expect(decide(.timeout) == .retry(after: 1_000_000_000))
        #expect(decide(.timeout) == .giveUp(.budgetExhausted))
    }

    @Test func refusesWhatCannotWork() {
        for (field, make) in [
            ("limit", { try Retry(upTo: -1) }), ("limit", { try Retry(upTo: 101) }),
            ("maximumHint", { try Retry(maximumHint: .seconds(-1)) }),
        ] as [(String, () throws -> Retry)] {
            let error = #expect(throws: ConfigurationError.self) { _ = try make() }
            #expect(error?.field == field)
            #expect(error?.policy == "Retry")
        }
    }
}
