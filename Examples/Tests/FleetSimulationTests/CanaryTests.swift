import Testing

@testable import FleetSimulation

@Suite("Canary")
struct CanaryTests {
    @Test("what is worse is rolled back soon, and what is not stays", .timeLimit(.minutes(10)))
    func rollbacks() async throws {
        let study = try await CanaryStudy.run(seeds: 1..<101)
        for row in study.harmless {
            // One in a hundred is allowed; six of a hundred have a chance of one in a thousand.
            #expect(row.found.count < 6, "\(row.traffic.name)")
        }
        for row in study.harmful { #expect(row.rolledBack == 100, "\(row.traffic.name)") }
        for row in study.harmful where row.traffic.slower == 2 && row.traffic.after == 0 {
            #expect(row.usual == "first_content" && (row.calls(0.99) ?? .max) <= 400, "\(row.traffic.name)")
        }
        #expect(study.harmless.allSatisfy { $0.peeked > $0.found.count }, "the t-test cries wolf")
        #expect(study.tsv.hasPrefix("study\ttraffic\tseeds\t") && complaint(about: study.svg) == nil)
        #expect(study.table.contains("first content × 2, σ 1.5"))
    }

    @Test("the same seed gives the same trial")
    func repeats() throws {
        func trial() throws -> Int? {
            try CanaryTrial(CanaryTraffic(name: "", slower: 2), share: 0.05, canaries: 1_000, seed: 3).found
        }
        let found = try trial()
        #expect(try found != nil && found == trial())
    }
}
