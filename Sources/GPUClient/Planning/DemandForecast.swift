public import SpillwayCore

/// How much will be asked for: a forecast with trend, season, and an interval that says how sure it is.
///
/// Time is cut into equal buckets. What is recorded in a bucket is added up; once the bucket is over, it is learnt by
/// additive Holt-Winters smoothing with a damped trend (Winters 1960; Hyndman and Athanasopoulos, *Forecasting: Principles
/// and Practice*, 3rd ed., chapter 8). A bucket in which nothing was recorded is *not known*, as when the process stood still: record 0 where
/// nothing truly was asked for. The first bucket is not whole, and not learnt.
///
/// The interval is no formula's: it lies between the quantiles of the errors that forecasts so far ahead have had. It is there
/// once enough of them are known, for 90 % after 19 (rank 19 of 20); until then there is no forecast.
///
/// It may be called from any task. What it keeps is bounded: about 8 bytes × (horizon × (horizon + errors) + 3 × season).
/// A new process, and one that has heard nothing for two seasons or two horizons, whichever is longer, begins anew.
public final class DemandForecast: Sendable {
    private let state: Locked<DemandState>

    /// A forecast of nothing yet.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ configuration: Configuration = Configuration()) throws(ConfigurationError) {
        try configuration.validate()
        state = Locked(DemandState(configuration))
    }

    /// Takes over other settings; what is known stays, unless the buckets, the season, the horizon or the errors change.
    ///
    /// - Throws: `ConfigurationError` with the field and its value; the settings stay as they were.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        state.withLock { $0.update(configuration) }
    }

    /// Adds to what was asked for at a time.
    ///
    /// - Parameters:
    ///   - count: Calls or tokens, 0 or more. 0 says that the bucket is known.
    ///   - now: The time; one before the last counts as the last.
    /// - Returns: False when the count is below 0, and nothing was recorded.
    @discardableResult
    public func record(_ count: Int, at now: Instant) -> Bool {
        guard count >= 0 else { return false }
        state.withLock { $0.record(Double(count), at: now) }
        return true
    }

    /// What will be asked for in the bucket that is current so long from now.
    ///
    /// - Parameters:
    ///   - ahead: How far ahead; one below 0 counts as 0.
    ///   - now: The time.
    ///   - coverage: The share of cases in which the truth is to lie in the interval, above 0 and below 1; 0.9 by default.
    /// - Returns: nil when too little is known, or the bucket is further from the last known one than the horizon.
    public func forecast(ahead: Duration, at now: Instant, coverage: Double = 0.9) -> Forecast? {
        known(at: now).forecast(from: ahead, through: ahead, at: now, coverage)
    }

    /// What will be asked for in the busiest bucket from now until then: the one with the highest ``Forecast/upper``.
    ///
    /// Plan replicas by it: whoever stops one now must not miss it before another can have started.
    ///
    /// - Parameters:
    ///   - ahead: How far ahead; one below 0 counts as 0.
    ///   - now: The time.
    ///   - coverage: The share of cases in which the truth is to lie in the interval, above 0 and below 1; 0.9 by default.
    /// - Returns: nil when of one of the buckets nothing can be said.
    public func peak(through ahead: Duration, at now: Instant, coverage: Double = 0.9) -> Forecast? {
        known(at: now).forecast(from: .zero, through: ahead, at: now, coverage)
    }

    /// What is known by then, to be asked without the lock: a forecast sorts errors, and every call waits to be recorded.
    private func known(at now: Instant) -> DemandState {
        state.withLock { state in
            state.close(at: now)
            return state
        }
    }

    /// What is expected of a bucket, each a number for a second, at least 0.
    public struct Forecast: Sendable, Hashable {
        /// What is expected.
        public let perSecond: Double
        /// What it will be at least, but for half of the cases outside the interval.
        public let lower: Double
        /// What it will be at most, but for the other half.
        public let upper: Double
        /// How many buckets after the last known one.
        public let buckets: Int

        /// A forecast of one's own, such as of a calendar.
        ///
        /// - Throws: `ConfigurationError` unless all are finite, 0 or more, and in order.
        public init(perSecond: Double, lower: Double, upper: Double) throws(ConfigurationError) {
            let check = Validation("DemandForecast.Forecast")
            try check.number(lower, "lower", in: 0...1e15)
            try check.number(perSecond, "perSecond", in: lower...1e15)
            try check.number(upper, "upper", in: perSecond...1e15)
            (self.perSecond, self.lower, self.upper, buckets) = (perSecond, lower, upper, 0)
        }

        init(expected: Double, lower: Double, upper: Double, buckets: Int) {
            (perSecond, self.lower, self.upper, self.buckets) = (expected, lower, upper, buckets)
        }
    }
}
