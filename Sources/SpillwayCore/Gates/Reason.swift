/// Why a gate refused or a call ended: one set of codes for errors, reports, metric labels and span attributes.
public struct Reason: Sendable, Hashable, CustomStringConvertible {
    @usableFromInline
    enum Code: UInt8, Sendable {
        case completed
        case breakerOpen, breakerProbing, breakerRamping, breakerIsolated
        case rateLimited, exceedsBurst, tooManyKeys
        case concurrencyLimited, loadShed, queueFull, queuedTooLong
        case quotaExhausted, keyRetired, storeUnavailable
        case budgetExhausted, attemptsExhausted, notRetryable, mayHaveBegun, hintTooLong
        case deadlineExceeded, cancelled, noTarget
        case spendLimit, unpriced, noTokens, noPayer, ledgerUnavailable
        case attemptTimeout, firstContentTimeout, stalled, tooSlow
        case steppedDown, cooling, saturated
        case belowQuality, aboveValue, tooLittleTime, windowTooSmall, noAnswer, targetFailed, memoryFull, handedOver
        case other
    }

    @usableFromInline let code: Code

    @inlinable
    init(_ code: Code) { self.code = code }

    /// The call ended as it should.
    @inlinable public static var completed: Reason { Reason(.completed) }
    /// The circuit breaker is open.
    @inlinable public static var breakerOpen: Reason { Reason(.breakerOpen) }
    /// The circuit breaker is half-open and all its probes are under way.
    @inlinable public static var breakerProbing: Reason { Reason(.breakerProbing) }
    /// The circuit breaker has closed and lets traffic back in little by little.
    @inlinable public static var breakerRamping: Reason { Reason(.breakerRamping) }
    /// The circuit breaker was opened by hand.
    @inlinable public static var breakerIsolated: Reason { Reason(.breakerIsolated) }
    /// There are not enough tokens in the bucket now.
    @inlinable public static var rateLimited: Reason { Reason(.rateLimited) }
    /// The call asks for more than the bucket can ever hold.
    @inlinable public static var exceedsBurst: Reason { Reason(.exceedsBurst) }
    /// Every place in the table that this key could use is taken by a key that is in use.
    @inlinable public static var tooManyKeys: Reason { Reason(.tooManyKeys) }
    /// As many calls are under way as may be.
    @inlinable public static var concurrencyLimited: Reason { Reason(.concurrencyLimited) }
    /// The load is too high for calls that matter no more than this one.
    @inlinable public static var loadShed: Reason { Reason(.loadShed) }
    /// As many calls wait as may, and others have the better right to.
    @inlinable public static var queueFull: Reason { Reason(.queueFull) }
    /// The call waited for as long as it may.
    @inlinable public static var queuedTooLong: Reason { Reason(.queuedTooLong) }
    /// The provider's quota per day, or the credit with it, is used up.
    @inlinable public static var quotaExhausted: Reason { Reason(.quotaExhausted) }
    /// The provider does not accept the key any more.
    @inlinable public static var keyRetired: Reason { Reason(.keyRetired) }
    /// The store that processes share a limit through is away, and what this one may use without it is used up.
    @inlinable public static var storeUnavailable: Reason { Reason(.storeUnavailable) }
    /// The retry budget is used up.
    @inlinable public static var budgetExhausted: Reason { Reason(.budgetExhausted) }
    /// All attempts were made.
    @inlinable public static var attemptsExhausted: Reason { Reason(.attemptsExhausted) }
    /// The failure is of a kind that trying again does not mend.
    @inlinable public static var notRetryable: Reason { Reason(.notRetryable) }
    /// The target may have begun the call, and it is not known to be idempotent.
    @inlinable public static var mayHaveBegun: Reason { Reason(.mayHaveBegun) }
    /// The target asked for a longer pause than the policy allows.
    @inlinable public static var hintTooLong: Reason { Reason(.hintTooLong) }
    /// The deadline is past, or would be by the time of the next attempt.
    @inlinable public static var deadlineExceeded: Reason { Reason(.deadlineExceeded) }
    /// An attempt took longer than one may.
    @inlinable public static var attemptTimeout: Reason { Reason(.attemptTimeout) }
    /// The first content of a stream did not come in time.
    @inlinable public static var firstContentTimeout: Reason { Reason(.firstContentTimeout) }
    /// A stream was silent for longer than one may be.
    @inlinable public static var stalled: Reason { Reason(.stalled) }
    /// A stream brought fewer tokens a second than one must.
    @inlinable public static var tooSlow: Reason { Reason(.tooSlow) }
    /// The caller went away.
    @inlinable public static var cancelled: Reason { Reason(.cancelled) }
    /// Every target refused.
    @inlinable public static var noTarget: Reason { Reason(.noTarget) }
    /// The call would cost more than a spend limit has left.
    @inlinable public static var spendLimit: Reason { Reason(.spendLimit) }
    /// Nobody knows what the call would cost.
    @inlinable public static var unpriced: Reason { Reason(.unpriced) }
    /// The call does not say how many tokens it takes.
    @inlinable public static var noTokens: Reason { Reason(.noTokens) }
    /// The call does not say who pays for it, or somebody who does not pay here.
    @inlinable public static var noPayer: Reason { Reason(.noPayer) }
    /// The ledger cannot store what calls cost.
    @inlinable public static var ledgerUnavailable: Reason { Reason(.ledgerUnavailable) }
    /// The ladder has stepped down from this tier, and has not come back yet.
    @inlinable public static var steppedDown: Reason { Reason(.steppedDown) }
    /// All models of the tier have failed of late, or asked for a pause, and are asked last.
    @inlinable public static var cooling: Reason { Reason(.cooling) }
    /// The tier, or every replica of a fleet, is too busy.
    @inlinable public static var saturated: Reason { Reason(.saturated) }
    /// The model is not as good as the call needs.
    @inlinable public static var belowQuality: Reason { Reason(.belowQuality) }
    /// The call would cost more than its answer is worth.
    @inlinable public static var aboveValue: Reason { Reason(.aboveValue) }
    /// There is less time left than the tier needs.
    @inlinable public static var tooLittleTime: Reason { Reason(.tooLittleTime) }
    /// The call does not fit into the model's context window.
    @inlinable public static var windowTooSmall: Reason { Reason(.windowTooSmall) }
    /// No replica has the memory that the call needs until others end.
    @inlinable public static var memoryFull: Reason { Reason(.memoryFull) }
    /// The replica is drained beyond its deadline, or dead, and the call goes on elsewhere.
    @inlinable public static var handedOver: Reason { Reason(.handedOver) }
    /// A cache, or another tier without a model, had no answer.
    @inlinable public static var noAnswer: Reason { Reason(.noAnswer) }
    /// An attempt there failed; the outcome's cause says how.
    @inlinable public static var targetFailed: Reason { Reason(.targetFailed) }
    /// A reason of a gate that is not Spillway's own.
    @inlinable public static var other: Reason { Reason(.other) }

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
        case .concurrencyLimited: "concurrency_limited"
        case .loadShed: "load_shed"
        case .queueFull: "queue_full"
        case .queuedTooLong: "queued_too_long"
        case .quotaExhausted: "quota_exhausted"
        case .keyRetired: "key_retired"
        case .storeUnavailable: "store_unavailable"
        case .budgetExhausted: "budget_exhausted"
        case .attemptsExhausted: "attempts_exhausted"
        case .notRetryable: "not_retryable"
        case .mayHaveBegun: "may_have_begun"
        case .hintTooLong: "hint_too_long"
        case .deadlineExceeded: "deadline_exceeded"
        case .cancelled: "cancelled"
        case .noTarget: "no_target"
        case .spendLimit: "spend_limit"
        case .unpriced: "unpriced"
        case .noTokens: "no_tokens"
        case .noPayer: "no_payer"
        case .ledgerUnavailable: "ledger_unavailable"
        case .attemptTimeout: "attempt_timeout"
        case .firstContentTimeout: "first_content_timeout"
        case .stalled: "stalled"
        case .tooSlow: "too_slow"
        case .steppedDown: "stepped_down"
        case .cooling: "cooling"
        case .saturated: "saturated"
        case .belowQuality: "below_quality"
        case .aboveValue: "above_value"
        case .tooLittleTime: "too_little_time"
        case .windowTooSmall: "window_too_small"
        case .noAnswer: "no_answer"
        case .targetFailed: "target_failed"
        case .memoryFull: "memory_full"
        case .handedOver: "handed_over"
        case .other: "other"
        }
    }
}
