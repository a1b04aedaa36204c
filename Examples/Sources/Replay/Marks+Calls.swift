import Drawing

extension Marks {
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
        return SVG.path(goodPath, "good") + SVG.path(failedPath, "bad")
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
            let y = SVG.number(frame.y(rate.calls))
            outline += "\(outline.isEmpty ? "M" : "L")\(SVG.number(from)) \(y)L\(SVG.number(to)) \(y)"
        }
        return SVG.path(good, "good") + SVG.path(wasted, "bad") + SVG.path(outline, "calls")
    }

    private static func bar(_ second: Int, from low: Double, to high: Double, _ frame: Figure.Frame) -> String {
        guard high > low else { return "" }
        let (left, right) = (frame.x(Double(second)), frame.x(Double(second) + 1))
        // A sliver between the bars keeps single seconds apart.
        return box(left, right - min(0.6, (right - left) / 4), frame.y(low), frame.y(high))
    }
}
