/// How a call through a policy failed.
///
/// The operation's own last error is never lost.
public enum PolicyError<Failure: Error>: Error {
    /// A gate refused. `last` is what an earlier attempt failed with, if there was one.
    case rejected(Rejection, last: Failure?)
    /// A bound on time was met: the deadline passed, or would have before the next attempt, or the last attempt met a limit
    /// of its own. `last` is what the last attempt failed with.
    case timedOut(TimeLimit, last: Failure?)
    /// Another attempt was wanted, but there are none left, the budget is empty, or the target asked for too long a pause.
    case exhausted(Reason, attempts: Int, last: Failure)
    /// The task was cancelled between two attempts; in an attempt, it is the operation that fails. `last` is what the last
    /// attempt failed with.
    case cancelled(last: Failure?)
    /// The operation failed in a way that trying again does not mend.
    case operation(Failure)

    /// The operation's own last error; nil when it was never run.
    public var underlying: Failure? {
        switch self {
        case .rejected(_, let last), .timedOut(_, let last), .cancelled(let last): last
        case .exhausted(_, _, let last), .operation(let last): last
        }
    }

    /// Why the call ended, as a code.
    public var reason: Reason {
        switch self {
        case .rejected(let rejection, _): rejection.reason
        case .timedOut(let limit, _): limit.reason
        case .exhausted(let reason, _, _): reason
        case .cancelled: .cancelled
        case .operation: .notRetryable
        }
    }
}

extension PolicyError: CustomStringConvertible {
    /// One line: what happened, and the operation's own error where there is one.
    public var description: String {
        let cause = underlying.map { ": \($0)" } ?? ""
        return switch self {
        case .rejected(let rejection, _): "\(rejection)\(cause)"
        case .timedOut(let limit, _): "\(limit.reason)\(cause)"
        case .exhausted(let reason, let attempts, _): "\(reason) after \(attempts) attempts\(cause)"
        case .cancelled: "cancelled\(cause)"
        case .operation(let failure): "\(failure)"
        }
    }
}

extension PolicyError: OutcomeError {
    /// What the failure says about the target, for a policy around this one.
    public var outcome: Outcome {
        switch self {
        case .rejected(let rejection, _): .neutral(.rejected, retryAfter: rejection.retryAfter)
        case .cancelled: .neutral(.cancelled)
        case .timedOut(.deadline, let last): last.map(Classifier.standard.callAsFunction) ?? .neutral(.timeout)
        case .timedOut(let limit, _): limit.outcome
        case .exhausted(_, _, let last), .operation(let last): Classifier.standard(last)
        }
    }
}

extension PolicyError {
    /// The error that a call ends with when `reason` forbids another attempt.
    package init(_ reason: Reason, attempts: Int, _ last: Failure) {
        switch reason {
        case .deadlineExceeded: self = .timedOut(.deadline, last: last)
        case .attemptsExhausted, .budgetExhausted, .hintTooLong:
            self = .exhausted(reason, attempts: attempts, last: last)
        default: self = .operation(last)
        }
    }
}
