/// How an attempt ended: success, failure, or neutral.
///
/// A failure speaks against the target. A neutral outcome says nothing of its health: the caller cancelled, the target
/// refused for the caller's quota, or the request was wrong in itself.
public struct Outcome: Sendable, Hashable, CustomStringConvertible {
    /// The three values.
    public enum Verdict: UInt8, Sendable {
        /// The target did what was asked.
        case success
        /// The target failed, or did not answer in time.
        case failure
        /// Nothing was learnt about the target.
        case neutral
    }

    /// Success, failure or neutral.
    public let verdict: Verdict
    /// What went wrong; for a success ``Cause/none``, or ``Cause/slow``.
    public let cause: Cause
    @usableFromInline let hint: Int64

    /// How long the target asked to be left alone; nil when it did not say.
    ///
    /// Never negative.
    public var retryAfter: Duration? {
        hint < 0 ? nil : .nanoseconds(hint)
    }

    /// The outcome for a log, such as `success`, `failure(timeout)` or `neutral(rate_limited, retry after 2.0 seconds)`.
    public var description: String {
        var details = cause == .none ? [] : [cause.description]
        if let retryAfter { details.append("retry after \(retryAfter)") }
        return details.isEmpty ? "\(verdict)" : "\(verdict)(\(details.joined(separator: ", ")))"
    }

    @inlinable
    init(_ verdict: Verdict, _ cause: Cause, nanoseconds: Int64) {
        self.verdict = verdict
        self.cause = cause
        hint = nanoseconds
    }

    private init(_ verdict: Verdict, _ cause: Cause, _ retryAfter: Duration?) {
        self.init(verdict, cause, nanoseconds: retryAfter.map { max($0.clampedNanoseconds, 0) } ?? -1)
    }

    /// The target did what was asked.
    @inlinable public static var success: Outcome { Outcome(.success, .none, nanoseconds: -1) }

    /// The target did what was asked, but later or slower than wanted: the first token came late, or the others slowly.
    ///
    /// A success for the caller. A circuit breaker counts it as a failure, unless it is told not to.
    @inlinable public static var slow: Outcome { Outcome(.success, .slow, nanoseconds: -1) }

    /// The target failed.
    public static func failure(_ cause: Cause, retryAfter: Duration? = nil) -> Outcome {
        Outcome(.failure, cause, retryAfter)
    }

    /// Nothing was learnt about the target's health.
    public static func neutral(_ cause: Cause, retryAfter: Duration? = nil) -> Outcome {
        Outcome(.neutral, cause, retryAfter)
    }

    /// The outcome that a cause has unless somebody knows better; see ``Cause/speaksAgainstTarget``.
    public static func of(_ cause: Cause, retryAfter: Duration? = nil) -> Outcome {
        let succeeded = cause == .none || cause == .slow
        return Outcome(succeeded ? .success : cause.speaksAgainstTarget ? .failure : .neutral, cause, retryAfter)
    }
}
