internal import SpillwayCore

/// What a forecast has learnt, and the bucket that is still open.
///
/// Only values: whoever writes it holds the lock, and a copy can be asked without it.
struct DemandState {
    private var configuration: DemandForecast.Configuration
    // Nanoseconds; a duration takes a division at full width to give them.
    private let width: Int64
    private var model: HoltWinters?
    private var errors: ForecastErrors
    // The bucket that is filled, and what is in it.
    private var open: (bucket: Int, sum: Double)?
    // The bucket of the first record, of which nobody knows what came before it.
    private var broken: Int?
    // No record goes to a bucket before this one.
    private var earliest = Int.min

    init(_ configuration: DemandForecast.Configuration) {
        self.configuration = configuration
        width = configuration.bucket.clampedNanoseconds
        errors = ForecastErrors(horizon: configuration.horizon, kept: configuration.errors)
    }

    mutating func update(_ new: DemandForecast.Configuration) {
        let old = configuration
        guard (old.bucket, old.season, old.horizon, old.errors) == (new.bucket, new.season, new.horizon, new.errors)
        else { return self = DemandState(new) }
        configuration = new
        model?.smoothing = new.smoothing
    }

    /// The bucket of a time, rounded down also before the clock's origin.
    private func bucket(_ time: Instant) -> Int {
        let (quotient, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: width)
        return Int(rest < 0 ? quotient - 1 : quotient)
    }

    mutating func record(_ count: Double, at now: Instant) {
        let current = max(bucket(now), earliest)
        close(before: current)
        earliest = current
        if broken == nil { broken = current }
        open = (current, (open?.sum ?? 0) + count)
    }

    /// Learns the open bucket if it is over.
    mutating func close(at now: Instant) { close(before: bucket(now)) }

    private mutating func close(before current: Int) {
        guard let full = open, full.bucket < current else { return }
        open = nil
        earliest = max(earliest, full.bucket + 1)
        if full.bucket != broken { learn(full.sum, of: full.bucket) }
    }

    private mutating func learn(_ value: Double, of bucket: Int) {
        let season = configuration.season ?? 0
        if let last = model?.last, bucket - last > 2 * max(season, configuration.horizon) {
            // Too long ago: this bucket is the first again, and not whole if the process stood still.
            let kept = earliest
            self = DemandState(configuration)
            (earliest, broken) = (kept, bucket)
            return
        }
        if model == nil {
            model = HoltWinters(value, at: bucket, season: season, configuration.smoothing)
        } else {
            errors.learn(value, of: bucket)
            model?.learn(value, at: bucket)
        }
        guard let model else { return }
        for ahead in 1...configuration.horizon {
            errors.expect(model.expected(at: bucket + ahead), of: bucket + ahead, ahead: ahead)
        }
    }

    /// The bucket with the highest upper end among those of a span; nil when one of them is not known.
    ///
    /// A bucket that is over must be closed before.
    func forecast(
        from begin: Duration, through end: Duration, at now: Instant, _ coverage: Double
    ) -> DemandForecast.Forecast? {
        guard let model, coverage > 0, coverage < 1 else { return nil }
        let first = max(bucket(now.advanced(by: max(begin, .zero))), model.last + 1)
        let last = max(bucket(now.advanced(by: max(end, .zero))), first)
        guard last - model.last <= configuration.horizon else { return nil }
        var highest: DemandForecast.Forecast?
        for step in first...last {
            guard let found = forecast(of: step, by: model, coverage) else { return nil }
            if highest.map({ found.upper > $0.upper }) ?? true { highest = found }
        }
        return highest
    }

    private func forecast(of step: Int, by model: HoltWinters, _ coverage: Double) -> DemandForecast.Forecast? {
        let ahead = step - model.last
        guard let range = errors.range(ahead: ahead, coverage: coverage) else { return nil }
        let expected = max(model.expected(at: step), 0)
        let unit = ForecastErrors.unit(expected)
        let seconds = configuration.bucket / .seconds(1)
        return DemandForecast.Forecast(
            expected: expected / seconds,
            // What is expected is always within.
            lower: min(max(expected + range.lowerBound * unit, 0), expected) / seconds,
            upper: max(expected + range.upperBound * unit, expected) / seconds, buckets: ahead)
    }
}
