import CostLedger
import Drawing

/// Draws what is left of a limit, or what was taken where there is none, with the forecast.
struct BurnDrawing {
    private let burn: BurnDown
    private let title: String
    private let limit: Money?

    init(_ burn: BurnDown, title: String, limit: Money?) {
        self.burn = burn
        self.title = title
        self.limit = limit
    }

    var svg: String {
        let start = burn.period.lowerBound, length = burn.period.upperBound - start
        let unit =
            length > 3 * 86_400_000_000_000
            ? ("days", 86_400e9) : length > 7_200_000_000_000 ? ("hours", 3_600e9) : ("minutes", 60e9)
        func place(_ time: Int64) -> Double { Double(time - start) / unit.1 }
        func left(_ taken: Money) -> Money { limit.map { $0 - taken } ?? taken }
        let known = burn.points.map { (at: place($0.time), value: left($0.taken)) }
        var ahead = [known[known.count - 1]]
        if let reached = burn.reached { ahead.append((place(reached), .zero)) }
        ahead.append((place(burn.period.upperBound), max(.zero, left(burn.forecast))))
        // A scale ends at 1 or above, so small amounts are drawn in thousandths.
        let most = (known + ahead).map(\.value.approximateDollars).max() ?? 0
        let (factor, name) = most < 1 ? (1_000.0, "thousandths of a dollar") : (1, "dollars")
        func line(_ points: [(at: Double, value: Money)]) -> [(at: Double, value: Double?)] {
            points.map { ($0.at, max(0, $0.value.approximateDollars * factor)) }
        }
        let lines = [line(known), line(ahead)]
        let panel = Figure.Panel(
            title: limit == nil ? "\(title): taken, in \(name)" : "\(title): left of \(limit!), in \(name)",
            note: "at \(UTCTime(nanoseconds: burn.now))",
            scale: .linear(holding: lines.joined().compactMap(\.value))
        ) { [lines] frame in
            Marks.line(lines[0], run: 1, in: frame) + Marks.line(lines[1], run: 0, in: frame)
        }
        return Figure.document([
            Figure(
                panels: [panel],
                axis: .numbers(place(burn.period.upperBound), title: "\(unit.0) since \(UTCTime(nanoseconds: start))"),
                keys: [.line("run run1", "known"), .line("run run0", "at the present rate")],
                description: "What \(title) has \(limit == nil ? "taken" : "left") over time")
        ])
    }
}
