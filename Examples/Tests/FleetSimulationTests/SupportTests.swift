import Testing

@testable import FleetSimulation

@Suite("Seeds, spreads and cells")
struct SupportTests {
    @Test("results come in the order of the seeds, whoever ends first")
    func order() async throws {
        let results = try await Seeds.map(10..<60, "") { seed in
            (0..<((60 - seed) * 1_000)).reduce(seed) { $0 ^ $1 ^ $1 }
        }
        #expect(results == Array(10..<60))
    }

    @Test("an error of one seed ends the run")
    func failure() async {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await Seeds.map(0..<5, "") { seed in if seed == 3 { throw Broken() } }
        }
    }

    @Test("mean, deviation and intervals")
    func spread() throws {
        let spread = Spread([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(spread.mean == 5 && spread.least == 2 && spread.most == 9)
        let deviation = try #require(spread.deviation)
        #expect(abs(deviation - 2.13809) < 1e-5)
        let single = try #require(spread.ofSingleRun)
        #expect(abs(single.upperBound - (5 + 2.36462 * 2.13809 * 1.06066)) < 0.01)
        let mean = try #require(spread.ofMean)
        #expect(abs(mean.lowerBound - (5 - 2.36462 * 2.13809 / 2.82843)) < 0.01)
        #expect(Spread([3]).deviation == nil && Spread([3]).ofSingleRun == nil)
    }

    @Test(
        "Student's quantiles are those of the tables",
        arguments: zip([1, 2, 3, 5, 10, 29, 99], [12.706, 4.303, 3.182, 2.571, 2.228, 2.045, 1.984]))
    func student(freedom: Int, quantile: Double) {
        #expect(abs(Spread.student(freedom) - quantile) < 0.02)
    }

    @Test("cells in tables and tab-separated values")
    func cells() {
        #expect(Cells.number(nil, 2) == "NA")
        #expect(Cells.number(1.005, 1) == "1.0")
        #expect(Cells.tsv(["a", "b"], [["1", "2"]]) == "a\tb\n1\t2")
        #expect(Cells.table(["a", "bb"], [["long", "2"]]) == "a     bb\n--------\nlong   2")
    }
}
