/// The percentiles that the report shows; nil where there were no values.
struct Percentiles: Codable, Sendable, Equatable {
    let p50: Double?
    let p95: Double?
    let p99: Double?

    /// Takes values in any order.
    init(of values: [Double]) {
        let sorted = values.sorted()
        p50 = Self.nearestRank(50, ofSorted: sorted)
        p95 = Self.nearestRank(95, ofSorted: sorted)
        p99 = Self.nearestRank(99, ofSorted: sorted)
    }

    /// The smallest value that at least `percent` percent of the values do not exceed; nil for none.
    static func nearestRank(_ percent: Int, ofSorted values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        // Whole numbers, because 0.95 × 20 in floating point may round up to rank 20.
        let rank = (percent * values.count + 99) / 100
        return values[min(max(rank, 1), values.count) - 1]
    }
}
