import Drawing
import SpillwayTesting
import Synchronization

/// What happened in all schedules; none of them broke a promise.
struct ScheduleStudy: Sendable, ScenarioResult {
    let seeds: Range<UInt64>
    let counts: ScheduleCounts

    /// Runs one schedule a seed.
    ///
    /// - Throws: `SimulationFailure` with the first seed that broke a promise.
    static func run(seeds: Range<UInt64>) async throws -> ScheduleStudy {
        let sum = Sum()
        let progress = Progress("schedules", of: seeds.count)
        defer { progress.clear() }
        try await Simulation.check(seeds: seeds, faults: ScheduleTrial.script) { simulation, script in
            let counts = try await ScheduleTrial.run(simulation, script)
            sum.counts.withLock { $0 += counts }
            progress.step()
        }
        return ScheduleStudy(seeds: seeds, counts: sum.counts.withLock { $0 })
    }

    private final class Sum: Sendable {
        let counts = Mutex(ScheduleCounts())
    }

    var table: String {
        """
        schedules: \(counts.schedules) seeds from \(seeds.lowerBound), each \(ScheduleTrial.calls) calls to \
        \(ScheduleTrial.replicas) replicas under faults

        \(Cells.table(["what", "of which", "count"], rows))

        Held in every schedule: attempts within the budget; every permit settled once; the bucket within its rate and
        burst; legal changes of the breakers; no call past its deadline, but for jumps of the clock; nothing left running.
        """
    }

    var tsv: String { Cells.tsv(["what", "of_which", "count"], rows) }

    var svg: String { Figure.document([figure("Calls by how they ended", counts.endings), refusals]) }

    private var refusals: Figure { figure("Refusals by gates, by reason", counts.rejections) }

    private var rows: [[String]] {
        let all = [
            ("schedules", counts.schedules), ("faults", counts.faults), ("cancellations", counts.cancellations),
            ("calls", counts.calls), ("attempts", counts.attempts), ("wasted", counts.wasted),
        ]
        return all.map { [$0.0, "all", "\($0.1)"] } + Self.sorted(counts.endings).map { ["calls", $0.0, "\($0.1)"] }
            + Self.sorted(counts.rejections).map { ["refusals", $0.0, "\($0.1)"] }
    }

    /// The most frequent first, equals by name, so that the same seeds give the same output.
    private static func sorted(_ counts: [String: Int]) -> [(String, Int)] {
        counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    private func figure(_ title: String, _ values: [String: Int]) -> Figure {
        let bars = Self.sorted(values)
        let panel = Figure.Panel(
            title: title, note: "\(counts.schedules) schedules", scale: .linear(holding: bars.map { Double($0.1) })
        ) { frame in
            bars.enumerated().map { index, bar in
                let place = Double(index) + 0.5
                return Marks.bar(from: place - 0.2, to: place + 0.2, value: Double(bar.1), style: "good", in: frame)
            }.joined()
        }
        return Figure(panels: [panel], axis: .names(bars.map(\.0), title: ""), description: title)
    }
}
