import Foundation
import Spillway
import Testing

@testable import FleetSimulation

@Suite("Overload")
struct OverloadTests {
    private static func small(_ engine: OverloadEngine = .a100) -> OverloadSettings {
        var settings = OverloadSettings(engine: engine)
        settings.replicas = 1
        settings.loads = [0.5, 2]
        settings.seconds = 300
        settings.warmUp = 120
        settings.fixed = [28, 56]
        return settings
    }

    @Test("without a limit an overload leaves nothing; the model rule is near the best fixed limit")
    func modelRule() async throws {
        let study = try await OverloadStudy.run([.none, .model], settings: [Self.small()], seeds: 1..<3)
        let part = try #require(study.parts.first)
        #expect(part.capacity > 5)
        let (none, model) = (part.rows[0], part.rows[1])
        #expect(none.toBest[0].mean > 98 && none.toBest[1].mean < 20)
        #expect(model.toBest[0].mean > 98 && model.toBest[1].mean > 85, "\(model.toBest[1].mean)")
        #expect(study.tsv.split(separator: "\n").count == 1 + 2 * 3)
        #expect(study.table.contains("8B on an A100"))
        #expect(complaint(about: study.svg) == nil)
    }

    @Test("the same seed gives the same run, and every call is accounted for")
    func deterministic() throws {
        for policy in OverloadPolicy.all + [.fixed(28)] {
            var settings = Self.small()
            (settings.seconds, settings.warmUp) = (60, 0)
            let trace = OverloadTrace(perSecond: 15, settings, seed: 3)
            let counts = try OverloadRun.play(policy, trace, settings)
            #expect(try OverloadRun.play(policy, trace, settings) == counts, "\(policy)")
            let underWay = counts.arrived - counts.refused - counts.failed - counts.answered
            #expect(counts.arrived == trace.arrivals.count && underWay >= 0, "\(policy)")
            #expect(counts.good <= counts.answered)
        }
    }

    @Test("sizes have the means of the trace")
    func sizes() {
        let random = RandomSource.seeded(1)
        let calls = (0..<20_000).map { _ in CallSizes.draw(random) }
        let prompt = Double(calls.reduce(0) { $0 + $1.promptTokens }) / 20_000
        let answer = Double(calls.reduce(0) { $0 + $1.outputTokens }) / 20_000
        #expect(abs(prompt - 1_155) < 35 && abs(answer - 211) < 6)
    }

    @Test("Gradient2 follows its formula")
    func gradient2() {
        var rule = Gradient2Rule(4...500)
        for step in 0..<10 { rule.record(sample(step, took: 1, inFlight: 20), isFull: true) }
        // 20 × 0.8 + (20 × 1 + 4) × 0.2
        #expect(abs(rule.limit - 20.8) < 1e-9)
        for step in 20..<30 { rule.record(sample(step, took: 4, inFlight: 5), isFull: false) }
        #expect(abs(rule.limit - 20.8) < 1e-9, "not in use")
    }

    @Test("failsafe-go's limiter grows by one while there is no queue, and falls when time doubles")
    func failsafe() {
        var rule = FailsafeRule(4...500)
        for step in 0..<50 { rule.record(sample(step, took: 1, inFlight: 20), isFull: true) }
        #expect(abs(rule.limit - 21.30) < 0.01)
        for step in 100..<1_000 { rule.record(sample(step, took: 1 + Double(step) / 50, inFlight: 20), isFull: true) }
        #expect(rule.limit < 21.3)
    }

    private func sample(_ step: Int, took: Double, inFlight: Int) -> PublishedSample {
        PublishedSample(now: 1 + Double(step), took: took, inFlight: inFlight, dropped: false)
    }
}
