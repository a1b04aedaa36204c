import Foundation
import Testing

@testable import FleetSimulation

/// A few minutes of the hour in which the best model fails and the money runs out.
@Suite struct LadderTests {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Data/azure-conversation.csv").path

    private static var settings: LadderSettings {
        var settings = LadderSettings()
        settings.seconds = 420
        settings.outage = 60..<180
        settings.broke = 360
        return settings
    }

    /// Three seeds: the model is gone, hangs, answers errors.
    @Test func everyCallIsAnsweredInSomeMode() async throws {
        let trace = try LadderTrace(path: Self.path).prefix(seconds: 420)
        let study = try await LadderStudy.run(trace, Self.settings, seeds: 1..<7)
        for (kind, result) in study.rows.flatMap({ row in row.results.map { (row.kind, $0) } }) {
            #expect(result.calls == trace.arrivals.count && result.spent <= result.limit)
            guard kind == .ladder else {
                #expect(result.answered < result.calls, "\(kind)")
                continue
            }
            #expect(result.answered == result.calls && result.unexplained == 0 && result.silent == 0)
            #expect(result.changes.count <= 4, "\(result.changes)")
            for tier in LadderStudy.tiers.dropLast() { #expect(result.answered(in: tier) > 0, "\(tier)") }
            // Everything below the first tier has its steps.
            let below = result.answered - result.answered(in: "premium")
            #expect(result.steps.values.reduce(0, +) >= below)
        }
        #expect(study.table.contains("premium → compact") && study.svg.contains("<svg"))
        #expect(study.tsv.split(separator: "\n").count == 4)
    }

    @Test func badTracesAreRefused() {
        for text in ["", "TIMESTAMP,ContextTokens,GeneratedTokens\n", "h\nnonsense", "h\n2023-11-16 18:15:46.6,1,-1"] {
            #expect(throws: (any Error).self) { try LadderTrace(csv: text) }
        }
        let back = "h\n2023-11-16 18:15:46.6,1,1\n2023-11-16 18:15:45.6,1,1"
        #expect(throws: (any Error).self) { try LadderTrace(csv: back) }
        #expect(throws: (any Error).self) { try LadderTrace(path: "/nowhere") }
    }
}
