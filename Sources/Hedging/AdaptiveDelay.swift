internal import SpillwayCore
private import Synchronization

/// A delay that follows the times that calls take.
final class AdaptiveDelay: Sendable {
    /// What to make of the times.
    enum Goal: Sendable {
        /// The quantile itself.
        case quantile(Double)
        /// What makes the quantile shortest when a share of the calls may be hedged.
        case shortest(Double, hedging: Double)
    }

    /// Nanoseconds for which a quantile that was read is used.
    private static let patience: Int64 = 250_000_000

    let histogram: LatencyHistogram
    private let goal: Goal
    private let initially: Int64?
    private let bounds: ClosedRange<Int64>
    /// Nanoseconds; −1: not known.
    private let known = Atomic<Int64>(-1)
    /// When to read the quantile again.
    private let due = Atomic<Int64>(.min)

    init(
        _ histogram: LatencyHistogram, _ goal: Goal, initially: Duration?, atLeast: Duration, atMost: Duration
    ) {
        self.histogram = histogram
        self.goal = goal
        self.initially = initially?.clampedNanoseconds
        bounds = atLeast.clampedNanoseconds...atMost.clampedNanoseconds
    }

    /// Nanoseconds; nil: no hedge, because nothing is known yet.
    ///
    /// Whoever comes first when it is due reads the quantile, for all.
    func nanoseconds(at now: Instant) -> Int64? {
        let due = due.load(ordering: .relaxed)
        if now.nanoseconds >= due,
            self.due.compareExchange(
                expected: due, desired: now.advanced(by: .nanoseconds(Self.patience)).nanoseconds, ordering: .relaxed
            ).exchanged
        {
            known.store(read(at: now)?.clampedNanoseconds ?? -1, ordering: .relaxed)
        }
        let known = known.load(ordering: .relaxed)
        return known < 0 ? initially : min(max(known, bounds.lowerBound), bounds.upperBound)
    }

    private func read(at now: Instant) -> Duration? {
        switch goal {
        case .quantile(let quantile): histogram.quantile(quantile, at: now)
        case .shortest(let quantile, let share): histogram.bestDelay(for: quantile, hedging: share, at: now)
        }
    }
}
