import ArgumentParser
import Drawing
import SpillwayTesting
import Synchronization

/// Callers at once through one limit on tokens, and nothing beyond it.
struct OvershootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overshoot",
        abstract: "64 callers at once through one limit on tokens, judged from outside by what was really used.",
        discussion: """
            Each seed is 64 callers through a bucket, keyed buckets or a quota, who use less than they said, or more, or go away: \
            100,000 seeds unless said otherwise. A call that is let in while more was really used than the limit allows ends the run.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await OvershootStudy.run(seeds: options.range(standard: 100_000)))
    }
}

/// What came of all seeds; none let a call in that did not fit.
struct OvershootStudy: Sendable, ScenarioResult {
    let seeds: Range<UInt64>
    let counts: OvershootTrial.Counts

    /// Runs one trial a seed.
    ///
    /// - Throws: `SimulationFailure` with the first seed that overshot.
    static func run(seeds: Range<UInt64>) async throws -> OvershootStudy {
        let sum = Sum()
        let progress = Progress("overshoot", of: seeds.count)
        defer { progress.clear() }
        try await Simulation.check(seeds: seeds) { simulation in
            let counts = try await OvershootTrial.run(simulation)
            sum.counts.withLock { $0.add(counts) }
            progress.step()
        }
        return OvershootStudy(seeds: seeds, counts: sum.counts.withLock(\.self))
    }

    private final class Sum: Sendable {
        let counts = Mutex(OvershootTrial.Counts())
    }

    private static let header = ["admitted", "refused", "cancelled", "tokens_beyond", "fullest", "overshoot"]

    private var cells: [[String]] {
        [
            [
                "\(counts.admitted)", "\(counts.refused)", "\(counts.cancelled)", "\(counts.beyond)",
                Cells.number(counts.fullest, 6), "\(max(0, counts.overshoot))",
            ]
        ]
    }

    var table: String {
        """
        overshoot: \(seeds.count) seeds from \(seeds.lowerBound), each 64 callers at once through one limit on tokens

        \(Cells.table(Self.header, cells))

        Held for every seed, by what was really used: over any span that ends when a call is let in, at most burst + rate × span.
        """
    }

    var tsv: String { Cells.tsv(Self.header, cells) }

    var svg: String {
        let values = [counts.fullest, 1], scale = Scale.linear(holding: values)
        let panel = Figure.Panel(
            title: "Most that was owed, parts of the burst", note: "\(seeds.count) seeds", scale: scale
        ) { frame in
            values.enumerated().map { index, value in
                let place = Double(index) + 0.5
                return Marks.bar(
                    from: place - 0.2, to: place + 0.2, value: value, style: index == 0 ? "good" : "bad", in: frame)
            }.joined()
        }
        let figure = Figure(
            panels: [panel], axis: .names(["when a call was let in", "the limit"], title: "64 callers at once"),
            description: "The most that was owed when a call was let in, and the limit")
        return Figure.document([figure])
    }
}

extension OvershootTrial.Counts {
    /// Adds those of another seed.
    mutating func add(_ other: Self) {
        admitted += other.admitted
        refused += other.refused
        cancelled += other.cancelled
        beyond += other.beyond
        overshoot = max(overshoot, other.overshoot)
        fullest = max(fullest, other.fullest)
    }
}
