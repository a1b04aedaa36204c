public import SpillwayCore

/// Starts a second attempt beside one that takes long, and takes the answer that comes first.
///
/// A hedge is for calls that are slow now and then for no fault of their own. It is started when all of this holds: the
/// call may be made twice (`Call.idempotency`); its delay has passed and nothing has come; hedges are left for the call; the
/// deadline is not past; there is spare capacity; and the budget has an attempt left, which is taken before the hedge starts.
///
/// The first success wins, and the others are cancelled. A failure never beats an attempt that may still succeed, and it
/// starts none: a failure is the business of a retry around the hedge. When all have failed, the call fails with the error
/// of the first attempt. Source: Dean and Barroso, *The tail at scale*, CACM 2013; the rules for failures are those of gRPC.
public struct Hedge: Sendable {
    /// What becomes of attempts that lost, once they are cancelled.
    public enum Losers: Sendable, Hashable {
        /// The call returns when they have ended.
        ///
        /// Right for operations that end soon when cancelled, as they should; one that does not holds the call up.
        case awaited
        /// The call waits for them no longer than `grace` after the answer, or after its own cancellation, and then goes
        /// without them.
        ///
        /// They run on by themselves until they end, and ``Hedge/leftRunning`` counts them. From zero to 1 hour.
        case reaped(grace: Duration)
    }

    @usableFromInline let core: HedgeCore

    /// A hedge.
    ///
    /// - Parameters:
    ///   - delay: How long to wait for an attempt before the next is started.
    ///   - limit: The most hedges of one call, 1 to 3; 1 by default.
    ///   - budget: What pays for hedges over all calls; the same one as for retries towards the same target.
    ///   - spareCapacity: Asked before every hedge; false: none, whatever the delay. Not asked by default.
    ///   - losers: What becomes of attempts that lost; they are awaited by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        after delay: Delay, upTo limit: Int = 1, budget: any AttemptBudget,
        spareCapacity: (@Sendable () -> Bool)? = nil, losers: Losers = .awaited
    ) throws(ConfigurationError) {
        let check = Validation("Hedge")
        try check.count(limit, "limit", in: 1...3)
        if case .reaped(let grace) = losers {
            try check.duration(grace, "grace")
            try check.require(grace <= .seconds(3_600), "grace", grace, "at most 1 hour")
        }
        core = HedgeCore(
            clock: try delay.clock(), limit: limit, budget: budget, spareCapacity: spareCapacity, losers: losers)
    }

    /// The most hedges of one call.
    public var limit: Int { core.limit }
    /// What pays for hedges.
    public var budget: any AttemptBudget { core.budget }
    /// What becomes of attempts that lost.
    public var losers: Losers { core.losers }

    /// Where the times of first attempts are counted, for a delay by ``Delay/quantile(_:of:initially:atLeast:atMost:)`` or
    /// ``Delay/shortest(_:hedging:of:initially:atLeast:atMost:)``; nil for any other.
    public var histogram: LatencyHistogram? {
        if case .adaptive(let delay) = core.clock { delay.histogram } else { nil }
    }

    /// The delay when it is always the same; nil when it is another for each call.
    package var fixedDelay: Duration? {
        if case .fixed(let nanoseconds) = core.clock { .nanoseconds(nanoseconds) } else { nil }
    }

    /// Attempts that calls have gone without and that have not ended yet.
    ///
    /// One that stays above zero means that an operation ignores cancellation.
    public var leftRunning: Int { core.reaper.count }
}
