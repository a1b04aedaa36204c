/// How a number varies from seed to seed.
struct Spread: Sendable {
    let mean: Double
    /// The standard deviation with n − 1; nil for one value.
    let deviation: Double?
    let least: Double
    let most: Double
    private let count: Int

    /// The spread of at least one value.
    init(_ values: [Double]) {
        precondition(!values.isEmpty, "a spread of nothing")
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        count = values.count
        least = values.min() ?? mean
        most = values.max() ?? mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : nil
    }

    /// Where another single run lies with 95 % probability: Student's prediction interval; nil for one value.
    var ofSingleRun: ClosedRange<Double>? { interval((1 + 1 / Double(count)).squareRoot()) }

    /// Where the mean of infinitely many runs lies with 95 % confidence; nil for one value.
    var ofMean: ClosedRange<Double>? { interval((1 / Double(count)).squareRoot()) }

    private func interval(_ factor: Double) -> ClosedRange<Double>? {
        deviation.map { deviation in
            let reach = Self.student(count - 1) * deviation * factor
            return mean - reach...mean + reach
        }
    }

    /// The 97.5 % quantile of Student's distribution (Abramowitz and Stegun, 26.7.5), to three digits.
    static func student(_ freedom: Int) -> Double {
        if freedom <= 3 { return [12.706, 4.303, 3.182][max(freedom, 1) - 1] }
        let (z, n) = (1.959964, Double(freedom))
        let z2 = z * z
        let first = z * (z2 + 1) / 4
        let second = z * ((5 * z2 + 16) * z2 + 3) / 96
        let third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
        return z + (first + (second + third / n) / n) / n
    }
}
