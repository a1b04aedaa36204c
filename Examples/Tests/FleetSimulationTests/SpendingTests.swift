import CostLedger
import Testing

@testable import FleetSimulation

@Suite("Spending")
struct SpendingTests {
    @Test("callers, crashes and a bad disk never spend more than a limit, nor lose a posting", .timeLimit(.minutes(10)))
    func books() async throws {
        let study = try await SpendingStudy.run(seeds: 1..<301)
        let counts = study.counts
        #expect(counts.crashes > 100 && counts.orphans > 100 && counts.refused > 1_000 && counts.acknowledged > 1_000)
        #expect(counts.overage > .zero && counts.fullest > 0.9 && counts.fullest <= 1)
        #expect(study.tsv.hasPrefix("crashes\tsent\trefused\t"))
        #expect(complaint(about: study.svg) == nil)
    }
}
