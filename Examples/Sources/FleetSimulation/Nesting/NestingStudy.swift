import Drawing
import SpillwayTesting
import Synchronization

/// What came of all nests, by how deep they were; none made more attempts than its outermost budget allows.
struct NestingStudy: Sendable, ScenarioResult {
    /// What came of nests of one depth.
    struct Row: Sendable {
        var seeds = 0
        var calls = 0
        var attempts = 0
        /// The most attempts a call, over the seeds.
        var worst = 0.0
        /// The largest part of what the budget allows that a seed made.
        var nearest = 0.0
        /// The most attempts a call that the limits of the policies alone would allow.
        var unbounded = 0

        mutating func add(_ counts: NestingTrial.Counts) {
            seeds += 1
            calls += counts.calls
            attempts += counts.attempts
            worst = max(worst, Double(counts.attempts) / Double(counts.calls))
            nearest = max(nearest, Double(counts.attempts) / counts.allowed)
            unbounded = max(unbounded, counts.unbounded / counts.calls)
        }
    }

    let seeds: Range<UInt64>
    /// Nests of one policy, of two, and so on.
    let rows: [Row]

    /// Runs one nest a seed.
    ///
    /// - Throws: `SimulationFailure` with the first seed that made too many attempts.
    static func run(seeds: Range<UInt64>) async throws -> NestingStudy {
        let sums = Sums()
        let progress = Progress("nesting", of: seeds.count)
        defer { progress.clear() }
        try await Simulation.check(seeds: seeds) { simulation in
            let counts = try await NestingTrial.run(simulation)
            sums.rows.withLock { $0[counts.depth - 1].add(counts) }
            progress.step()
        }
        return NestingStudy(seeds: seeds, rows: sums.rows.withLock(\.self))
    }

    private final class Sums: Sendable {
        let rows = Mutex([Row](repeating: Row(), count: 4))
    }

    private static let header = [
        "policies", "seeds", "calls", "attempts", "attempts_a_call", "worst_a_call", "most_of_allowed",
        "limits_alone_a_call",
    ]

    private var cells: [[String]] {
        rows.enumerated().map { depth, row in
            [
                "\(depth + 1)", "\(row.seeds)", "\(row.calls)", "\(row.attempts)",
                Cells.number(row.calls == 0 ? nil : Double(row.attempts) / Double(row.calls), 3),
                Cells.number(row.worst, 2), Cells.number(row.nearest, 3), "\(row.unbounded)",
            ]
        }
    }

    var table: String {
        """
        nesting: \(seeds.count) seeds from \(seeds.lowerBound), each 1 to 4 policies inside of each other with retries, \
        hedges and fallbacks

        \(Cells.table(Self.header, cells))

        Held for every seed, with gates that refuse and callers that go away: attempts ≤ calls × (1 + ratio) + burst of the \
        outermost budget, and ≤ calls × (1 + allowance) where callers say how many.
        """
    }

    var tsv: String { Cells.tsv(Self.header, cells) }

    var svg: String {
        let worst = rows.map(\.worst), limits = rows.map { Double($0.unbounded) }
        func panel(_ title: String, _ values: [Double], style: String) -> Figure.Panel {
            Figure.Panel(title: title, note: "\(seeds.count) seeds", scale: .linear(holding: values)) { frame in
                values.enumerated().map { index, value in
                    let place = Double(index) + 0.5
                    return Marks.bar(from: place - 0.2, to: place + 0.2, value: value, style: style, in: frame)
                }.joined()
            }
        }
        let figure = Figure(
            panels: [
                panel("Attempts a call, worst seed", worst, style: "good"),
                panel("What the policies' own limits would allow", limits, style: "bad"),
            ], axis: .names((1...rows.count).map { "\($0)" }, title: "policies inside of each other"),
            description: "Attempts a call through nested policies, and what their limits alone would allow")
        return Figure.document([figure])
    }
}
