internal import SpillwayCore

/// Whether a replica that refuses, or fails at once, is left alone for a while.
///
/// One that answers nothing is never busy, so by load alone it would get all calls.
struct Cooling: Sendable {
    /// Failures in a row after which it cools down; a refusal (429, a key that does not fit) does so at once.
    private static let failures = 3
    /// The first pause, and the longest, that nobody asked for; each is twice the one before.
    private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(30))

    /// What says more does not know itself.
    private static let longestTold = Duration.seconds(3_600)

    /// Refusals and failures in a row.
    private var faults = 0
    /// Until when it is asked only where nobody else is left.
    private(set) var until = Instant.zero
    /// Until when it is not asked at all, because it said so itself; an hour at most.
    private(set) var told = Instant.zero

    /// When the last fault was counted: calls that began before it say nothing more.
    private var counted = Instant(nanoseconds: .min)

    /// A call has ended that began at `began`.
    mutating func note(_ outcome: Outcome, began: Instant, at now: Instant) {
        if outcome.verdict == .success {
            if began >= counted { (faults, until) = (0, .zero) }
            return
        }
        let isRefusal = [.rateLimited, .quotaExhausted, .authentication].contains(outcome.cause)
        guard isRefusal || outcome.verdict == .failure && outcome.cause.speaksAgainstTarget else { return }
        if let pause = outcome.retryAfter { told = max(told, now.advanced(by: min(pause, Self.longestTold))) }
        // Many that fail together are one fault.
        guard began >= counted else { return }
        counted = now
        faults = min(faults + 1, 1_000)
        let extra = faults - (isRefusal ? 1 : Self.failures)
        guard extra >= 0 else { return }
        let pause = min(Self.pauses.first * (1 << min(extra, 10)), Self.pauses.longest)
        until = max(until, now.advanced(by: pause))
    }
}
