/// Why a gate refused or a call ended: one set of codes for errors, reports, metric labels and span attributes.
public struct Reason: Sendable, Hashable, CustomStringConvertible {
    private enum Code: UInt8 {
        case completed
        case breakerOpen = 1, breakerProbing, breakerRamping, breakerIsolated
        case rateLimited = 10, exceedsBurst, tooManyKeys
        case budgetExhausted = 20, attemptsExhausted, notRetryable, mayHaveBegun, hintTooLong
        case deadlineExceeded = 30, cancelled, noTarget
        case other = 40
    }

    private let code: Code

    private init(_ code: Code) { self.code = code }

    /// The call ended as it should.
    public static let completed = Reason(.completed)
    /// The circuit breaker is open.
    public static let breakerOpen = Reason(.breakerOpen)
    /// The circuit breaker is half-open and all its probes are under way.
    public static let breakerProbing = Reason(.breakerProbing)
    /// The circuit breaker has closed and lets traffic back in little by little.
    public static let breakerRamping = Reason(.breakerRamping)
    /// The circuit breaker was opened by hand.
    public static let breakerIsolated = Reason(.breakerIsolated)
    /// There are not enough tokens in the bucket now.
    public static let rateLimited = Reason(.rateLimited)
    /// The call asks for more than the bucket can ever hold.
    public static let exceedsBurst = Reason(.exceedsBurst)
    /// Every place in the table that this key could use is taken by a key that is in use.
    public static let tooManyKeys = Reason(.tooManyKeys)
    /// The retry budget is used up.
    public static let budgetExhausted = Reason(.budgetExhausted)
    /// All attempts were made.
    public static let attemptsExhausted = Reason(.attemptsExhausted)
    /// The failure is of a kind that trying again does not mend.
    public static let notRetryable = Reason(.notRetryable)
    /// The target may have begun the call, and it is not known to be idempotent.
    public static let mayHaveBegun = Reason(.mayHaveBegun)
    /// The target asked for a longer pause than the policy allows.
    public static let hintTooLong = Reason(.hintTooLong)
    /// The deadline is past, or would be by the time of the next attempt.
    public static let deadlineExceeded = Reason(.deadlineExceeded)
    /// The caller went away.
    public static let cancelled = Reason(.cancelled)
    /// Every target refused.
    public static let noTarget = Reason(.noTarget)
    /// A reason of a gate that is not Spillway's own.
    public static let other = Reason(.other)

    /// The reason as a metric label, such as `breaker_open`.
    public var description: String {
        switch code {
        case .completed: "completed"
        case .breakerOpen: "breaker_open"
        case .breakerProbing: "breaker_probing"
        case .breakerRamping: "breaker_ramping"
        case .breakerIsolated: "breaker_isolated"
        case .rateLimited: "rate_limited"
        case .exceedsBurst: "exceeds_burst"
        case .tooManyKeys: "too_many_keys"
        case .budgetExhausted: "budget_exhausted"
        case .attemptsExhausted: "attempts_exhausted"
        case .notRetryable: "not_retryable"
        case .mayHaveBegun: "may_have_begun"
        case .hintTooLong: "hint_too_long"
        case .deadlineExceeded: "deadline_exceeded"
        case .cancelled: "cancelled"
        case .noTarget: "no_target"
        case .other: "other"
        }
    }
}
