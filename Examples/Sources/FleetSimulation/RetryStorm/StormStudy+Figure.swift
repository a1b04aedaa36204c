import Drawing

extension StormStudy {
    /// Bars with their spread, and the wasted calls of the first seed over time.
    var svg: String { Figure.document([bars, timeline]) }

    private var bars: Figure {
        let goodput = Figure.Panel(
            title: "Goodput in percent", note: "mean and standard deviation, \(seeds.count) seeds",
            scale: .linear(max: 100)
        ) { [rows, ceiling] frame in
            Self.bars(rows.map(\.goodput), style: "good", in: frame)
                + Marks.threshold(ceiling.mean, "ceiling \(Cells.number(ceiling.mean, 2)) %", in: frame)
        }
        let top = rows.map { $0.wasted.mean + ($0.wasted.deviation ?? 0) }
        let wasted = Figure.Panel(
            title: "Wasted calls", note: "", scale: .linear(holding: top + [floor.mean])
        ) { [rows, floor] frame in
            Self.bars(rows.map(\.wasted), style: "bad", in: frame)
                + Marks.threshold(floor.mean, "floor \(Cells.number(floor.mean, 0))", in: frame)
        }
        return Figure(
            panels: [goodput, wasted], axis: .names(rows.map(\.policy), title: ""),
            description: "Goodput and wasted calls of each policy")
    }

    private var timeline: Figure {
        let firstOutage = settings.varied(by: seeds.lowerBound).outage
        // One point for so many ticks that a line stays readable.
        let width = max(settings.ticks / 200, 1)
        let lines = rows.map { row in
            stride(from: 0, to: settings.ticks, by: width).map { start in
                let ticks = row.firstTimeline[start..<min(start + width, settings.ticks)]
                let count = Double(ticks.count)
                return (at: Double(start) + count / 2, value: Double(ticks.reduce(0, +)) / count)
            }
        }
        let panel = Figure.Panel(
            title: "Wasted calls a tick, seed \(seeds.lowerBound)", note: "shaded: half of the fleet is sick",
            scale: .linear(holding: lines.joined().map(\.value))
        ) { frame in
            lines.enumerated().map { index, line in
                Marks.line(line.map { ($0.at, $0.value) }, run: index, in: frame)
            }.joined()
        }
        return Figure(
            panels: [panel], axis: .numbers(Double(settings.ticks), title: "tick"),
            window: Double(firstOutage.lowerBound)...Double(firstOutage.upperBound),
            keys: rows.enumerated().map { .line("run run\($0.offset % Marks.styles)", $0.element.policy) },
            description: "Wasted calls over time")
    }

    private static func bars(_ spreads: [Spread], style: String, in frame: Figure.Frame) -> String {
        spreads.enumerated().map { index, spread in
            let (place, reach) = (Double(index) + 0.5, spread.deviation ?? 0)
            return Marks.bar(from: place - 0.15, to: place + 0.15, value: spread.mean, style: style, in: frame)
                + Marks.whisker(at: place, from: spread.mean - reach, to: spread.mean + reach, in: frame)
        }.joined()
    }
}
