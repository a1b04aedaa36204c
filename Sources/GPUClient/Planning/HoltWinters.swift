/// Trend and season of a series of equal steps: additive Holt-Winters smoothing with a damped trend.
///
/// Holt, *Forecasting seasonals and trends by exponentially weighted moving averages*, 1957; Winters, *Forecasting sales by
/// exponentially weighted moving averages*, Management Science 6, 1960; the error-correction form with damping is that of
/// Hyndman and Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., sections 8.3 to 8.5.
///
/// The first two seasons are kept, and level, trend and season set out from their means; before that there is no season.
struct HoltWinters {
    var smoothing: DemandForecast.Smoothing
    private var level: Double
    private var trend = 0.0
    // What a step has above or below the level, by its place in the season; empty until one season is known.
    private var seasonal: [Double] = []
    // The first two seasons, while they last; nan: not known.
    private var start: [Double]
    private let season: Int
    private let first: Int
    /// The last step that is known.
    private(set) var last: Int

    /// A series that begins with `value` at `step`; a season of 0 is none.
    init(_ value: Double, at step: Int, season: Int, _ smoothing: DemandForecast.Smoothing) {
        (self.season, self.smoothing) = (season, smoothing)
        (first, last, level) = (step, step, value)
        start = [Double](repeating: .nan, count: 2 * season)
        if season > 0 { start[0] = value }
    }

    /// What is expected of a step after the last, by what is known now; may be below 0.
    func expected(at step: Int) -> Double {
        // The trend's share of each step is φ, φ², φ³ …
        let weight = damped(step - last)
        return level + weight * trend + self[seasonAt: step]
    }

    private subscript(seasonAt step: Int) -> Double { seasonal.isEmpty ? 0 : seasonal[place(of: step)] }

    private func place(of step: Int) -> Int { (step % season + season) % season }

    /// φ + φ² + … + φⁿ.
    private func damped(_ steps: Int) -> Double {
        var (sum, power) = (0.0, 1.0)
        for _ in 0..<steps {
            power *= smoothing.damping
            sum += power
        }
        return sum
    }

    /// Learns what a step after the last was; those between are not known and change nothing but the trend's damping.
    mutating func learn(_ value: Double, at step: Int) {
        let gap = step - last
        let error = value - expected(at: step)
        let decay = (0..<gap).reduce(1.0) { power, _ in power * smoothing.damping }
        level += damped(gap) * trend + smoothing.level * error
        trend = decay * trend + smoothing.level * smoothing.trend * error
        if !seasonal.isEmpty { seasonal[place(of: step)] += (1 - smoothing.level) * smoothing.season * error }
        last = step
        if !start.isEmpty { learnStart(value, at: step) }
    }

    private mutating func learnStart(_ value: Double, at step: Int) {
        let index = step - first
        if index < start.count { start[index] = value }
        // A season ends when the step before the next one's first has passed.
        if index >= start.count - 1 {
            set(seasons: 2)
            // What came after the two seasons, when it is not their last step, is learnt as all that follows.
            if index >= start.count { level += smoothing.level * (value - expected(at: step)) }
            start = []
        } else if seasonal.isEmpty, index >= season - 1 {
            set(seasons: 1)
        }
    }

    /// Level, trend and season from the means of the first one or two seasons (FPP3, 8.3; Hyndman, *Initializing the
    /// Holt-Winters method*, 2010).
    private mutating func set(seasons: Int) {
        let parts = (0..<seasons).map { start[($0 * season)..<(($0 + 1) * season)] }
        let means = parts.map { part in
            let known = part.filter { !$0.isNaN }
            return known.isEmpty ? Double.nan : known.reduce(0, +) / Double(known.count)
        }
        guard let mean = means.first(where: { !$0.isNaN }) else { return }
        let slope = seasons == 2 && means.allSatisfy { !$0.isNaN } ? (means[1] - means[0]) / Double(season) : 0
        let middle = Double(season - 1) / 2
        var found = [Double](repeating: .nan, count: season)
        for offset in 0..<season {
            let above = (0..<seasons).compactMap { index -> Double? in
                let value = start[index * season + offset]
                let center = means[index].isNaN ? mean : means[index]
                return value.isNaN ? nil : value - center - slope * (Double(offset) - middle)
            }
            if !above.isEmpty { found[place(of: first + offset)] = above.reduce(0, +) / Double(above.count) }
        }
        // A place that is not known is as the one before it.
        var before = found.last { !$0.isNaN } ?? 0
        for place in found.indices {
            if found[place].isNaN { found[place] = before }
            before = found[place]
        }
        seasonal = found
        // Nothing is known of how the trend would have been damped on the way.
        let center = means.last.flatMap { $0.isNaN ? nil : $0 } ?? mean
        level = center + slope * (Double(last - first - (seasons - 1) * season) - middle)
        trend = slope
    }
}
