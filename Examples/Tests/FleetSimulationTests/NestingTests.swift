import Testing

@testable import FleetSimulation

@Suite("Nesting")
struct NestingTests {
    @Test("whatever is inside of what, attempts stay within the outermost budget", .timeLimit(.minutes(10)))
    func bound() async throws {
        let study = try await NestingStudy.run(seeds: 1..<1_001)
        #expect(study.rows.reduce(0) { $0 + $1.seeds } == 1_000)
        for row in study.rows {
            #expect(row.attempts > row.calls && row.nearest > 0.8 && row.nearest <= 1)
            #expect(row.worst < Double(row.unbounded))
        }
        #expect(study.tsv.hasPrefix("policies\tseeds\tcalls\tattempts\t"))
        #expect(complaint(about: study.svg) == nil)
    }
}
