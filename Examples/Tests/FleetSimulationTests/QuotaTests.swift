import Testing

@testable import FleetSimulation

@Suite("Quota")
struct QuotaTests {
    @Test("a quota gets a twentieth of the 429s and uses as much", .timeLimit(.minutes(10)))
    func refusals() async throws {
        let study = try await QuotaStudy.run([.right, .unknown, .windows], seeds: 1..<2)
        for row in study.rows {
            #expect(row.retries.allSatisfy { $0.refused > 100 }, "\(row.quotaCase)")
            #expect(row.ratio.map { $0 >= 20 } ?? true, "\(row.quotaCase): \(row.quota)")
            #expect(row.quota.allSatisfy { $0.used >= 0.97 }, "\(row.quotaCase): \(row.quota)")
        }
        #expect(study.tsv.hasPrefix("case\tretries_429s\tquota_429s\t"))
        #expect(complaint(about: study.svg) == nil)
    }

    @Test("64 callers never use more than a limit on tokens", .timeLimit(.minutes(10)))
    func overshoot() async throws {
        let study = try await OvershootStudy.run(seeds: 1..<501)
        let counts = study.counts
        #expect(counts.overshoot <= 0 && counts.fullest > 0.99 && counts.fullest <= 1)
        #expect(counts.admitted > 10_000 && counts.refused > 1_000 && counts.cancelled > 100 && counts.beyond > 1_000)
        #expect(complaint(about: study.svg) == nil)
    }
}
