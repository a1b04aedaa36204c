/// The shapes that stand for data in a figure's panels, as SVG.
enum Marks {
    /// One bar for each second: the good answers below, the failures on top of them.
    static func stackedBars(good: [Int], failed: [Int], in frame: Figure.Frame) -> String {
        var goodPath = ""
        var failedPath = ""
        for second in good.indices {
            let low = Double(good[second])
            let high = low + Double(failed[second])
            goodPath += bar(second, from: 0, to: low, frame)
            failedPath += bar(second, from: low, to: high, frame)
        }
        return path(goodPath, "good") + path(failedPath, "bad")
    }

    /// The rate of calls over the rate of good answers, with the gap between them filled.
    static func gap(_ rates: [CallRate], in frame: Figure.Frame) -> String {
        var good = ""
        var wasted = ""
        var outline = ""
        for rate in rates {
            let (from, to) = (frame.x(rate.from), frame.x(rate.to))
            good += box(from, to, frame.y(0), frame.y(rate.good))
            if rate.calls > rate.good { wasted += box(from, to, frame.y(rate.good), frame.y(rate.calls)) }
            let y = number(frame.y(rate.calls))
            outline += "\(outline.isEmpty ? "M" : "L")\(number(from)) \(y)L\(number(to)) \(y)"
        }
        return path(good, "good") + path(wasted, "bad") + path(outline, "calls")
    }

    /// A line through points; it breaks where a value is missing, and a lone point becomes a dot.
    static func line(_ points: [(second: Double, value: Double?)], run: Int, in frame: Figure.Frame) -> String {
        var data = ""
        var isDrawing = false
        for point in points {
            guard let value = point.value else {
                isDrawing = false
                continue
            }
            let place = "\(number(frame.x(point.second))) \(number(frame.y(value)))"
            // A line to its own start shows as a dot, thanks to the round line ends.
            data += isDrawing ? "L\(place)" : "M\(place)L\(place)"
            isDrawing = true
        }
        return path(data, "run run\(run % styles)")
    }

    /// A dashed line across the panel at `value`, named at its left end.
    static func threshold(_ value: Double, _ name: String, in frame: Figure.Frame) -> String {
        let (x, y) = (frame.x(0), frame.y(value))
        return path("M\(number(x)) \(number(y))H\(number(frame.x(frame.seconds)))", "threshold")
            + "<text x=\"\(number(x + 6))\" y=\"\(number(y - 5))\" class=\"note\">\(name.escaped)</text>\n"
    }

    /// How many runs have a style of their own.
    static let styles = 4

    private static func bar(_ second: Int, from low: Double, to high: Double, _ frame: Figure.Frame) -> String {
        guard high > low else { return "" }
        let (left, right) = (frame.x(Double(second)), frame.x(Double(second) + 1))
        // A sliver between the bars keeps single seconds apart.
        return box(left, right - min(0.6, (right - left) / 4), frame.y(low), frame.y(high))
    }

    private static func box(_ left: Double, _ right: Double, _ foot: Double, _ head: Double) -> String {
        "M\(number(left)) \(number(foot))V\(number(head))H\(number(right))V\(number(foot))Z"
    }

    private static func path(_ data: String, _ style: String) -> String {
        data.isEmpty ? "" : "<path d=\"\(data)\" class=\"\(style)\"/>\n"
    }

    private static func number(_ value: Double) -> String { Figure.number(value) }
}
