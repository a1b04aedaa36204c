import Testing

@testable import Replay

@Suite("Percentiles")
struct PercentilesTests {
    @Test("nearest rank over a hundred values, in any order")
    func hundred() {
        let percentiles = Percentiles(of: (1...100).map(Double.init).reversed())
        #expect(percentiles.p50 == 50)
        #expect(percentiles.p95 == 95)
        #expect(percentiles.p99 == 99)
    }

    @Test(
        "few values round the rank up",
        arguments: [(1, 1.0, 1.0, 1.0), (2, 1, 2, 2), (3, 2, 3, 3), (20, 10, 19, 20), (21, 11, 20, 21)])
    func few(count: Int, p50: Double, p95: Double, p99: Double) {
        let percentiles = Percentiles(of: (1...count).map(Double.init))
        #expect([percentiles.p50, percentiles.p95, percentiles.p99] == [p50, p95, p99])
    }

    @Test("no values have no percentiles")
    func none() {
        #expect(Percentiles(of: []).p50 == nil)
        #expect(Percentiles.nearestRank(0, ofSorted: [4, 5]) == 4)
        #expect(Percentiles.nearestRank(100, ofSorted: [4, 5]) == 5)
    }
}
