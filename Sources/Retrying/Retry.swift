public import SpillwayCore

/// Tries a call again when that may help, is allowed, and is paid for.
///
/// A failure is tried again when all of this holds: its cause is in ``causes``; the target surely did not begin the call,
/// or the call is idempotent; attempts are left; the target's own hint (`Retry-After`) is not too long; the wait ends
/// before the deadline; and the budget has an attempt left. Budget is taken before the wait. Cancellation is never tried
/// again and never counted.
public struct Retry: Sendable {
    /// Retries after the first attempt.
    public let limit: Int
    /// The waits between attempts.
    public let backoff: Backoff
    /// Causes worth another attempt.
    public let causes: Outcome.Causes
    /// What bounds retries over all calls.
    public let budget: RetryBudget
    /// The longest pause that a target may ask for; a longer one ends the call at once.
    public let maximumHint: Duration
    private let random: RandomSource
    /// ``budget`` as a chain of its own.
    package let chain: BudgetChain

    /// A retry.
    ///
    /// - Parameters:
    ///   - limit: Retries after the first attempt, 0 to 100; 2 by default.
    ///   - backoff: The waits; by default exponential from 200 ms to 20 s with full jitter.
    ///   - causes: What is worth another attempt; by default `Outcome.Causes.transient`.
    ///   - budget: What bounds retries over all calls; by default a budget of its own with the defaults.
    ///   - maximumHint: The longest pause that a target may ask for; 60 s by default. The pause is always kept.
    ///   - random: Where the jitter comes from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        upTo limit: Int = 2, backoff: Backoff = .standard, on causes: Outcome.Causes = .transient,
        budget: RetryBudget? = nil, maximumHint: Duration = .seconds(60), random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("Retry").count(limit, "limit", in: 0...100)
        try Validation("Retry").duration(maximumHint, "maximumHint")
        self.limit = limit
        self.backoff = backoff
        self.causes = causes
        if let budget { self.budget = budget } else { self.budget = try RetryBudget() }
        self.maximumHint = maximumHint
        self.random = random
        chain = BudgetChain.none.adding(self.budget)
    }

    /// What to do after a failed attempt.
    public enum Decision: Sendable, Hashable {
        /// Try again after this many nanoseconds. The budget has been charged.
        case retry(after: Int64)
        /// Do not try again.
        case giveUp(Reason)
    }

    /// Decides after attempt number `attempt` (1 is the first) ended with `outcome`: the pure core of the driver.
    ///
    /// - Parameters:
    ///   - outcome: How the attempt ended.
    ///   - attempt: Its number, 1 for the first.
    ///   - idempotency: Whether the call may be made twice.
    ///   - previous: Nanoseconds of the wait before this attempt.
    ///   - deadline: When the call must have ended; nil: never.
    ///   - budgets: What the next attempt is drawn from; ``budget`` alone by default.
    ///   - now: When the attempt ended.
    public func decide(
        after outcome: Outcome, attempt: Int, previous: Int64, idempotency: Call.Idempotency, deadline: Instant?,
        budgets: BudgetChain? = nil, at now: Instant
    ) -> Decision {
        if outcome.cause == .cancelled { return .giveUp(.cancelled) }
        guard causes.contains(outcome.cause) else { return .giveUp(.notRetryable) }
        guard outcome.cause.neverBegan || idempotency.allowsRepetition else { return .giveUp(.mayHaveBegun) }
        guard attempt <= limit else { return .giveUp(.attemptsExhausted) }
        var wait = backoff.nanoseconds(beforeRetry: attempt, previous: previous, random: random)
        if let hint = outcome.retryAfter {
            if hint > maximumHint { return .giveUp(.hintTooLong) }
            wait = max(wait, hint.clampedNanoseconds)
        }
        if let deadline, now.advanced(by: .nanoseconds(wait)) >= deadline { return .giveUp(.deadlineExceeded) }
        return (budgets ?? chain).withdraw(at: now) ? .retry(after: wait) : .giveUp(.budgetExhausted)
    }

    /// Runs `operation` until it succeeds or another attempt is not allowed.
    ///
    /// - Parameters:
    ///   - operation: One attempt. It must not outlive its cancellation.
    ///   - call: Says whether the operation may be repeated.
    ///   - deadline: When to give up; that of the task's `CallContext` counts if it is earlier.
    ///   - time: Where the time comes from.
    ///   - classifier: Says what an error tells about the target.
    /// - Throws: `PolicyError` with the operation's own last error in it.
    public func run<Success, Failure: Error>(
        _ call: Call = Call(), deadline: Instant? = nil, time: any TimeSource = .system,
        classifier: Classifier = .standard,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        let deadline = CallContext.earliest(deadline)
        var number = 1, wait: Int64 = 0, started = time.now
        let (budgets, paysIn) = BudgetChain.current.entered(by: budget, alone: chain)
        if paysIn { budget.deposit(at: started) }
        let context = CallContext(
            deadline: deadline, budgets: budgets, criticality: CallContext.current?.criticality)
        while true {
            let failure: Failure
            let attempt = Attempt(number: number, call: call, started: started, deadline: deadline)
            switch await context.bound({ () async throws(Failure) in try await operation(attempt) }) {
            case .success(let value): return value
            case .failure(let error): failure = error
            }
            let outcome = Task.isCancelled ? .neutral(.cancelled) : classifier(failure)
            let now = time.now
            let decision = decide(
                after: outcome, attempt: number, previous: wait, idempotency: call.idempotency, deadline: deadline,
                budgets: budgets, at: now)
            switch decision {
            case .giveUp(let reason): throw PolicyError(reason, attempts: number, failure)
            case .retry(let nanoseconds): wait = nanoseconds
            }
            do {
                try await time.sleep(until: now.advanced(by: .nanoseconds(wait)))
            } catch {
                budgets.restore()
                throw .cancelled(last: failure)
            }
            number += 1
            started = time.now
        }
    }
}

extension Outcome.Causes {
    /// Causes that may be gone at the next attempt: no connection, a broken one, no answer in time, a server error, no
    /// capacity, the quota of the minute, an answer that makes no sense, and errors that no classifier knew.
    public static let transient: Outcome.Causes = [
        .connect, .transport, .timeout, .serverError, .overloaded, .rateLimited, .malformed, .unknown,
    ]
}
