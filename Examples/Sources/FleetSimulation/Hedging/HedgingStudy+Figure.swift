import Drawing

extension HedgingStudy {
    /// Tail, hedges and lost work of each policy and service, and the waits of the exercise.
    var svg: String { Figure.document([policies, exercise]) }

    private var policies: Figure {
        let tail = panel(
            "p99 ÷ the best that is possible with the budget", "dashed: 1, which only more hedges than that can pass",
            [1]
        ) { $0.tail.mean / $1.best.seconds }
        let hedged = panel(
            "Hedged calls in percent", "dashed: the budget and target", [100 * settings.share]
        ) { row, _ in row.hedged.mean }
        let lost = panel("Work of attempts that lost, in percent of all seconds", "until they were cancelled") {
            row, _ in row.lost.mean
        }
        return Figure(
            panels: [tail, hedged, lost],
            axis: .names(parts.first?.rows.map(\.policy.name) ?? [], title: ""),
            keys: parts.enumerated().map { .area("dot\($0.offset % Marks.styles)", $0.element.service.name) },
            description: "Tail latency, hedges and lost work of each policy for \(parts.count) services")
    }

    /// A panel with a group of bars for each policy, one bar a service.
    private func panel(
        _ title: String, _ note: String, _ lines: [Double] = [], _ value: (Row, Part) -> Double
    ) -> Figure.Panel {
        let values = parts.map { part in part.rows.map { value($0, part) } }
        return Figure.Panel(title: title, note: note, scale: .linear(holding: values.joined() + lines)) { frame in
            Self.groups(values, in: frame) + lines.map { Marks.threshold($0, "", in: frame) }.joined()
        }
    }

    private var exercise: Figure {
        let mean = waitPanel(
            "Mean wait of those served in the outage, in ticks", "the textbook's fleet, half of it sick"
        ) {
            $0.mean
        }
        let lost = waitPanel("Gave up in the outage, in percent", "more waited than have patience") { $0.lost }
        return Figure(
            panels: [mean, lost], axis: .names(WaitStudy.loads.map { "\($0)" }, title: "requests a tick, of 80 slots"),
            keys: [.area("dot0", "naive retry"), .area("dot1", "what waits goes to two replicas")],
            description: "Waits with and without hedging by load")
    }

    private func waitPanel(_ title: String, _ note: String, _ value: (Waits) -> Double) -> Figure.Panel {
        let values = [false, true].map { isHedged in
            WaitStudy.loads.map { waits.row($0, hedged: isHedged, .during).map { value($0.waits) } ?? 0 }
        }
        return Figure.Panel(title: title, note: note, scale: .linear(holding: Array(values.joined()))) { frame in
            Self.groups(values, in: frame)
        }
    }

    /// Bars side by side: of each list one in every group, in a colour of its own.
    private static func groups(_ lists: [[Double]], in frame: Figure.Frame) -> String {
        let width = 0.6 / Double(max(lists.count, 1))
        return lists.enumerated().map { place, values in
            values.enumerated().map { index, value in
                let start = Double(index) + 0.2 + Double(place) * width
                return Marks.bar(
                    from: start, to: start + 0.85 * width, value: value, style: "dot\(place % Marks.styles)", in: frame)
            }.joined()
        }.joined()
    }
}
