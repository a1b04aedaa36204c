/// How far forecasts have been off, for each number of steps ahead: the last so many errors, and their quantiles.
///
/// An error is kept in units of the square root of what was expected, as independent calls scatter (Poisson), so that the busy
/// hour's interval is wider than the night's.
struct ForecastErrors {
    private let horizon: Int
    private let kept: Int
    private var errors: [Double]
    private var counts: [Int]
    // What was expected of each of the next steps, by the number of steps ahead; nan: nothing.
    private var expected: [Double]
    private var steps: [Int]

    init(horizon: Int, kept: Int) {
        (self.horizon, self.kept) = (horizon, kept)
        errors = [Double](repeating: 0, count: horizon * kept)
        counts = [Int](repeating: 0, count: horizon)
        expected = [Double](repeating: .nan, count: horizon * horizon)
        steps = [Int](repeating: .min, count: horizon)
    }

    /// Notes what is expected of a step so many steps ahead, to be compared once it is known.
    mutating func expect(_ value: Double, of step: Int, ahead: Int) {
        let row = slot(step)
        if steps[row] != step {
            steps[row] = step
            for column in 0..<horizon { expected[row * horizon + column] = .nan }
        }
        expected[row * horizon + ahead - 1] = max(value, 0)
    }

    /// Compares what is now known of a step with all that was expected of it.
    mutating func learn(_ value: Double, of step: Int) {
        let row = slot(step)
        guard steps[row] == step else { return }
        for column in 0..<horizon where !expected[row * horizon + column].isNaN {
            let forecast = expected[row * horizon + column]
            errors[column * kept + counts[column] % kept] = (value - forecast) / Self.unit(forecast)
            counts[column] += 1
        }
    }

    private func slot(_ step: Int) -> Int { (step % horizon + horizon) % horizon }

    /// The error's unit at a forecast.
    static func unit(_ forecast: Double) -> Double { max(forecast, 1).squareRoot() }

    /// What the errors so many steps ahead lie between, but for an equal share on either side; nil: too few are known.
    ///
    /// The ranks are those of split conformal prediction (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*,
    /// 2005): of n errors and the next, each is as likely as any other to be the k-th, so n + 1 stands for n.
    func range(ahead: Int, coverage: Double) -> ClosedRange<Double>? {
        let known = min(counts[ahead - 1], kept)
        let rank = Int((Double(known + 1) * (1 + coverage) / 2).rounded(.up))
        guard known > 0, rank <= known else { return nil }
        let sorted = errors[((ahead - 1) * kept)..<((ahead - 1) * kept + known)].sorted()
        return sorted[known - rank]...max(sorted[known - rank], sorted[rank - 1])
    }
}
