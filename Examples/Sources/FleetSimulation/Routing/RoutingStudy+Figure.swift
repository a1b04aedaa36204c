import Drawing

extension RoutingStudy {
    /// Times to the first token, what was found in caches, and good answers, by rule.
    var svg: String {
        let p50 = rows.map { Self.quantile(0.5, of: $0.first) ?? 0 },
            p99 = rows.map { Self.quantile(0.99, of: $0.first) ?? 0 }
        let least = Self.quantile(0.99, of: floor.first) ?? 0
        let times = Figure.Panel(
            title: "Seconds to the first token", note: "logarithmic; dashed: the p99 that is possible at all",
            scale: .logarithmic(holding: p50 + p99 + [least])
        ) { frame in
            Self.bars(p50, of: 2, at: 0, "dot0", in: frame) + Self.bars(p99, of: 2, at: 1, "dot1", in: frame)
                + Marks.threshold(least, "floor", in: frame)
        }
        let shares = rows.map { 100 * $0.hitRate }, most = 100 * floor.hitRate
        let hits = Figure.Panel(
            title: "Tokens of prompts found in caches, in percent", note: "dashed: what came before",
            scale: .linear(holding: shares + [most])
        ) { frame in
            Self.bars(shares, of: 1, at: 0, "dot2", in: frame) + Marks.threshold(most, "", in: frame)
        }
        let rates = rows.map(\.goodput)
        let good = Figure.Panel(
            title: "Good answers a second", note: "dashed: what is asked for",
            scale: .linear(holding: rates + [capacity * settings.load])
        ) { [asked = capacity * settings.load] frame in
            Self.bars(rates, of: 1, at: 0, "good", in: frame) + Marks.threshold(asked, "", in: frame)
        }
        let figure = Figure(
            panels: [times, hits, good], axis: .names(rows.map(\.rule.label), title: ""),
            keys: [.area("dot0", "p50"), .area("dot1", "p99"), .line("threshold", "what is possible, or asked for")],
            description: "Time to the first token, cache hits and goodput of each rule")
        return Figure.document([figure])
    }

    /// One bar in each rule's place, beside those of other lists.
    private static func bars(
        _ values: [Double], of lists: Int, at place: Int, _ style: String, in frame: Figure.Frame
    ) -> String {
        let width = 0.6 / Double(lists)
        return values.enumerated().map { index, value in
            let start = Double(index) + 0.2 + Double(place) * width
            return Marks.bar(from: start, to: start + 0.85 * width, value: value, style: style, in: frame)
        }.joined()
    }
}
