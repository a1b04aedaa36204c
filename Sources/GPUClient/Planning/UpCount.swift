/// The probabilities that 0, 1, 2 … replicas are up.
///
/// Every number is a sum of positive terms, so nothing cancels: the relative error of each stays near the count of
/// additions times 2⁻⁵³, in both tails.
struct UpCount {
    private let probabilities: [Double]

    /// The replicas of one zone: none while the zone is down, else a binomial distribution.
    init(replicas: Int, availability up: Double, zoneAvailability: Double) {
        let binomial = Self.binomial(replicas, up).map { $0 * zoneAvailability }
        probabilities = [binomial[0] + (1 - zoneAvailability)] + binomial.dropFirst()
    }

    private init(_ probabilities: [Double]) { self.probabilities = probabilities }

    /// This zone's replicas and those of another, which are independent.
    func adding(_ other: UpCount) -> UpCount {
        let (mine, its) = (probabilities, other.probabilities)
        var sum = [Double](repeating: 0, count: mine.count + its.count - 1)
        for i in mine.indices {
            for j in its.indices { sum[i + j] += mine[i] * its[j] }
        }
        return UpCount(sum)
    }

    /// The probability that fewer than `count` are up.
    func below(_ count: Int) -> Double { min(probabilities.prefix(count).reduce(0, +), 1) }

    /// The probability that at least `count` are up.
    func atLeast(_ count: Int) -> Double { min(probabilities.dropFirst(count).reversed().reduce(0, +), 1) }

    /// The binomial distribution, from its mode outwards by the ratio of neighbours, then scaled to a sum of 1.
    ///
    /// Neither a factorial nor a power is taken, so that nothing overflows, and what underflows does not matter.
    private static func binomial(_ count: Int, _ up: Double) -> [Double] {
        let down = 1 - up
        var weights = [Double](repeating: 0, count: count + 1)
        let mode = min(Int(Double(count + 1) * up), count)
        weights[mode] = 1
        for j in mode..<count { weights[j + 1] = weights[j] * (Double(count - j) / Double(j + 1)) * (up / down) }
        for j in stride(from: mode, to: 0, by: -1) {
            weights[j - 1] = weights[j] * (Double(j) / Double(count - j + 1)) * (down / up)
        }
        let sum = weights.prefix(mode).reduce(0, +) + weights.dropFirst(mode).reversed().reduce(0, +)
        return weights.map { $0 / sum }
    }
}
