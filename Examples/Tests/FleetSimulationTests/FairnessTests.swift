import Testing

@testable import FleetSimulation

@Suite("Fairness")
struct FairnessTests {
    private func study() async throws -> FairnessStudy {
        var greedy = FairnessSettings.greedy, mixed = FairnessSettings.mixed
        (greedy.seconds, mixed.seconds) = (120, 120)
        return try await FairnessStudy.run(seeds: 1..<3, greedy: greedy, mixed: mixed)
    }

    @Test("a greedy tenant takes nothing from the others, and the fleet is used", .timeLimit(.minutes(10)))
    func shares() async throws {
        let study = try await study()
        func row(_ policy: FairnessPolicy) -> FairnessStudy.Row { study.rows.first { $0.policy == policy }! }
        for policy in [FairnessPolicy.fair, .dominant] {
            #expect(row(policy).mostLost.most < 1 && row(policy).used.mean > 97 && row(policy).greedy.mean > 95)
        }
        #expect(row(.fifo).lost.mean > 20 && row(.none).lost.mean > 20)
        #expect(row(.buckets).lost.mean < 1 && row(.buckets).used.mean < 60, "a fixed share lies idle")
        // Without dominant shares long prompts take about twice as much.
        func ratio(_ policy: FairnessPolicy) -> Double { study.mixes.first { $0.policy == policy }!.ratio.mean }
        #expect(abs(ratio(.dominant) - 1) < 0.1 && ratio(.fair) > 1.6)
        #expect(study.tsv.hasPrefix("study\tpolicy\t") && complaint(about: study.svg) == nil)
        #expect(study.table.contains("FairQueue, dominant"))
    }

    @Test("the same seed gives the same run", .timeLimit(.minutes(10)))
    func repeats() throws {
        var settings = FairnessSettings.greedy
        (settings.seconds, settings.warmUp) = (30, 5)
        func run() throws -> [Int] {
            let run = try FairnessRun(settings, .fair, capacity: 5.5, seed: 7)
            return run.tallies.flatMap { [$0.asked, $0.answered, $0.tokens] }
        }
        #expect(try run() == run())
    }
}
