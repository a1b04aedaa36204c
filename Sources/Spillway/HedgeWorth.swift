public import CostLedger
public import Hedging
public import SpillwayCore

/// Says of a hedge that is due whether it is worth its price: only if p(SLO miss) × value > expected cost.
///
/// p is the probability that the call misses its objective without the hedge and meets it with it, given that it has taken as
/// long as the delay already. With S(t) the share of calls that take longer than t, that is
/// S(objective) ÷ S(delay) × (1 − S(objective − delay)): a hedge that would come too late itself is worth nothing. The cost is what
/// the second attempt adds, whether it wins or not.
///
/// ```swift
/// let worth = HedgeWorth(
///     objective: .seconds(8), value: .cents(2), cost: { Money(dollars: "0.004")! }, times: times,
///     after: { times.quantile(0.95, at: $0) })
/// let hedge = try Hedge(after: .quantile(0.95, of: times), budget: budget, spareCapacity: { worth.isWorthIt() })
/// ```
public struct HedgeWorth: Sendable {
    private let objective: Duration
    private let value: Money
    private let cost: @Sendable () -> Money
    private let times: LatencyHistogram
    private let delay: @Sendable (Instant) -> Duration?
    private let time: any TimeSource

    /// A rule.
    ///
    /// - Parameters:
    ///   - objective: Within what time an answer is worth its value.
    ///   - value: What it is worth then.
    ///   - cost: What another attempt costs; asked for each hedge.
    ///   - times: How long calls take: the histogram of the hedge's delay.
    ///   - delay: How long a call has taken when its hedge is due; nil: not known, and then it is not worth it.
    ///   - time: Where the time comes from.
    public init(
        objective: Duration, value: Money, cost: @escaping @Sendable () -> Money, times: LatencyHistogram,
        after delay: @escaping @Sendable (Instant) -> Duration?, time: any TimeSource = .system
    ) {
        self.objective = objective
        self.value = value
        self.cost = cost
        self.times = times
        self.delay = delay
        self.time = time
    }

    /// The probability that a hedge that is due now saves its call, in millionths; nil as long as too few calls are known.
    public func chance(at now: Instant) -> Int64? {
        guard let delay = delay(now), let late = times.share(longerThan: objective, at: now),
            let due = times.share(longerThan: delay, at: now),
            let lateAgain = times.share(longerThan: max(.zero, objective - delay), at: now)
        else { return nil }
        guard due > 0, delay < objective else { return 0 }
        return Int64((min(1, late / due) * (1 - lateAgain) * 1_000_000).rounded())
    }

    /// Whether a hedge that is due now is worth its price; not as long as too few calls are known.
    public func isWorthIt() -> Bool {
        guard let chance = chance(at: time.now) else { return false }
        return value.times(chance, over: 1_000_000) > cost()
    }
}
