internal import SpillwayCore

/// When a ladder steps down for all calls, and when it comes back up.
///
/// A single call that is refused or fails goes further down by itself. When calls that come to a tier fail there one after the other, or
/// find its breakers open, its credit used up or its key refused, the ladder leaves it for all, so that they lose no time on it; then one
/// call at a time probes whether it is well. A tier that is merely full is never left.
public struct Hysteresis: Sendable, Hashable {
    /// After how many calls in a row that the tier did not serve, 1 to 10,000; 3 by default.
    public var misses = 3
    /// How long it stays left at least; 10 s by default.
    ///
    /// Doubled each time that it falls again within this time of its return.
    public var dwell = Duration.seconds(10)
    /// The longest that can grow to; 5 minutes by default.
    public var maximumDwell = Duration.seconds(300)
    /// How long until the next probe; 1 s by default.
    ///
    /// Doubled with each further one that no success has followed, up to 16 times as long: where calls hang, each probe makes one
    /// wait.
    public var probeEvery = Duration.seconds(1)
    /// How many probes in a row must succeed, 1 to 10,000; 3 by default.
    public var successes = 3
    /// Whether a refusal for money counts, because all calls are paid for by one account; false by default, because one tenant without
    /// money must not take the tier from the others.
    public var sharesPurse = false

    /// The defaults; they may be changed in `change`.
    public init(_ change: (inout Hysteresis) -> Void = { _ in }) { change(&self) }

    func validate() throws(ConfigurationError) {
        let check = Validation("Hysteresis")
        try check.count(misses, "misses", in: 1...10_000)
        try check.count(successes, "successes", in: 1...10_000)
        try check.duration(dwell, "dwell")
        try check.duration(maximumDwell, "maximumDwell", atLeast: dwell)
        try check.duration(probeEvery, "probeEvery", atLeast: .milliseconds(1))
    }

    /// Whether a tier that did not serve a call for this reason is to blame, money aside.
    ///
    /// Not for being full: one that is goes on to serve what it can, and to leave it would waste that.
    static func counts(_ reason: Reason, _ cause: Outcome.Cause) -> Bool {
        switch reason {
        case .breakerOpen, .breakerIsolated, .quotaExhausted, .keyRetired, .storeUnavailable, .ledgerUnavailable: true
        case .targetFailed:
            cause.speaksAgainstTarget || cause == .quotaExhausted || cause == .authentication
        default: false
        }
    }
}
