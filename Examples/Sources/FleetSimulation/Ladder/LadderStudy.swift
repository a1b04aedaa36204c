import Foundation
import Spillway
import SpillwayTesting

/// What came of the hour under each policy, over all seeds.
struct LadderStudy: Sendable, ScenarioResult {
    /// One policy's results, seed by seed.
    struct Row: Sendable {
        let kind: LadderRun.Kind
        let results: [LadderRun.Result]
    }

    let seeds: Range<UInt64>
    let settings: LadderSettings
    let rows: [Row]

    /// Plays the hour with every policy for each seed.
    static func run(
        _ trace: LadderTrace, _ settings: LadderSettings, seeds: Range<UInt64>
    ) async throws -> LadderStudy {
        let progress = Progress("ladder", of: seeds.count)
        defer { progress.clear() }
        let results = try await SeedWork(seeds) { seed in
            // What the ladder spends until the money is to run out, when nothing limits it.
            let free = try LadderRun.play(
                .ladder, trace.prefix(seconds: settings.broke), settings, limit: nil, seed: seed)
            let limit = Money(nanodollars: Int64(free.spent * 1e9))
            defer { progress.step() }
            return try LadderRun.Kind.allCases.map {
                try LadderRun.play($0, trace, settings, limit: limit, seed: seed)
            }
        }.run()
        return LadderStudy(
            seeds: seeds, settings: settings,
            rows: LadderRun.Kind.allCases.enumerated().map { index, kind in
                Row(kind: kind, results: results.map { $0[index] })
            })
    }

    static let tiers = ["premium", "compact", "retrieval", "cached", "deferred"]

    private static let header =
        ["policy", "calls", "answered_%", "worst_%"] + tiers.map { "\($0)_%" }
        + ["p99_s", "extra_attempts", "spent_$", "limit_$", "mode_changes_most", "unexplained", "without_reason"]

    private var cells: [[String]] {
        rows.map { row in
            let calls = row.results.reduce(0) { $0 + $1.calls }
            func share(_ count: Int) -> String { Cells.number(100 * Double(count) / Double(max(1, calls)), 2) }
            let worst = row.results.map { 100 * Double($0.answered) / Double(max(1, $0.calls)) }.min()
            let seconds = row.results.flatMap(\.seconds).sorted()
            let runs = Double(row.results.count)
            return [
                row.kind.rawValue, "\(calls)", share(row.results.reduce(0) { $0 + $1.answered }),
                Cells.number(worst, 2),
            ]
                + Self.tiers.map { tier in share(row.results.reduce(0) { $0 + $1.answered(in: tier) }) }
                + [
                    Cells.number(seconds.isEmpty ? nil : seconds[seconds.count * 99 / 100], 1),
                    "\(row.results.reduce(0) { $0 + $1.extra })",
                    Cells.number(row.results.reduce(0) { $0 + $1.spent } / runs, 2),
                    Cells.number(row.results.reduce(0) { $0 + $1.limit } / runs, 2),
                    "\(row.results.map(\.changes.count).max() ?? 0)",
                    "\(row.results.reduce(0) { $0 + $1.unexplained })", "\(row.results.reduce(0) { $0 + $1.silent })",
                ]
        }
    }

    var table: String {
        """
        ladder: \(seeds.count) seeds from \(seeds.lowerBound), each \(Int(settings.seconds / 60)) minutes of recorded load; \
        the best model fails from minute \(Int(settings.outage.lowerBound / 60)) to \(Int(settings.outage.upperBound / 60)), the money \
        is gone at minute \(Int(settings.broke / 60))

        \(Cells.table(Self.header, cells))

        The ladder's steps down, all seeds:
        \(steps.map { "  \($0.key): \($0.value)" }.joined(separator: "\n"))

        Its modes, seed \(seeds.lowerBound):
        \(modes.isEmpty ? "  no change" : modes.joined(separator: "\n"))
        """
    }

    var tsv: String { Cells.tsv(Self.header, cells) }

    private var ladder: [LadderRun.Result] { rows.first { $0.kind == .ladder }?.results ?? [] }

    private var steps: [(key: String, value: Int)] {
        ladder.reduce(into: [:]) { $0.merge($1.steps, uniquingKeysWith: +) }.sorted { $0.value > $1.value }
    }

    private var modes: [String] {
        (ladder.first?.changes ?? []).map { change in
            // Time begins at one second.
            let second = Double(change.at.nanoseconds) / 1e9 - 1
            return String(format: "  minute %5.2f  ", second / 60) + "\(change.from) → \(change.to) (\(change.reason))"
        }
    }

    /// The seed that is drawn.
    var drawn: [(kind: LadderRun.Kind, result: LadderRun.Result)] {
        rows.compactMap { row in row.results.first.map { (row.kind, $0) } }
    }
}
