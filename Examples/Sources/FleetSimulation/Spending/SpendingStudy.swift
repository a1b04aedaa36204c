import CostLedger
import Drawing
import SpillwayTesting
import Synchronization

/// What came of all seeds in which callers spent together; none spent more than a limit.
struct SpendingStudy: Sendable, ScenarioResult {
    let seeds: Range<UInt64>
    let counts: SpendingTrial.Counts

    /// Runs one trial a seed.
    ///
    /// - Throws: `SimulationFailure` with the first seed in which the ledger was wrong.
    static func run(seeds: Range<UInt64>) async throws -> SpendingStudy {
        let sum = Sum()
        let progress = Progress("spending", of: seeds.count)
        defer { progress.clear() }
        try await Simulation.check(seeds: seeds) { simulation in
            let counts = try await SpendingTrial.run(simulation)
            sum.counts.withLock { $0.add(counts) }
            progress.step()
        }
        return SpendingStudy(seeds: seeds, counts: sum.counts.withLock(\.self))
    }

    private final class Sum: Sendable {
        let counts = Mutex(SpendingTrial.Counts())
    }

    private static let header = [
        "crashes", "sent", "refused", "orphans", "acknowledged", "spent", "overage", "most_of_limit",
    ]

    private var cells: [[String]] {
        [
            [
                "\(counts.crashes)", "\(counts.sent)", "\(counts.refused)", "\(counts.orphans)",
                "\(counts.acknowledged)",
                "\(counts.spent)", "\(counts.overage)", Cells.number(counts.fullest, 4),
            ]
        ]
    }

    var table: String {
        """
        spending: \(seeds.count) seeds from \(seeds.lowerBound), each 64 callers at once, up to three crashes

        \(Cells.table(Self.header, cells))

        Held for every seed, by what was really sent: no hard limit was passed but by recorded overage, no acknowledged \
        settlement was lost or there twice, and the books add up after every crash.
        """
    }

    var tsv: String { Cells.tsv(Self.header, cells) }

    var svg: String {
        let values = [counts.spent, counts.overage].map { Double($0.nanodollars) / 1e9 }
        let note = "\(seeds.count) seeds", scale = Scale.linear(holding: values)
        let panel = Figure.Panel(title: "Dollars spent", note: note, scale: scale) { frame in
            values.enumerated().map { index, value in
                let place = Double(index) + 0.5, style = index == 0 ? "good" : "bad"
                return Marks.bar(from: place - 0.2, to: place + 0.2, value: value, style: style, in: frame)
            }.joined()
        }
        let figure = Figure(
            panels: [panel],
            axis: .names(["within what was held", "overage"], title: "64 callers at once, with crashes"),
            description: "What callers spent together")
        return Figure.document([figure])
    }
}

extension SpendingTrial.Counts {
    /// Adds those of another seed.
    mutating func add(_ other: Self) {
        crashes += other.crashes
        refused += other.refused
        sent += other.sent
        orphans += other.orphans
        acknowledged += other.acknowledged
        spent += other.spent
        overage += other.overage
        fullest = max(fullest, other.fullest)
    }
}
