/// The shapes that stand for data in a figure's panels, as SVG.
public enum Marks {
    /// How many lines have a style of their own.
    public static let styles = 4

    /// A line through points; it breaks where a value is missing, and a lone point becomes a dot.
    public static func line(_ points: [(at: Double, value: Double?)], run: Int, in frame: Figure.Frame) -> String {
        var data = ""
        var isDrawing = false
        for point in points {
            guard let value = point.value else {
                isDrawing = false
                continue
            }
            let place = "\(SVG.number(frame.x(point.at))) \(SVG.number(frame.y(value)))"
            // A line to its own start shows as a dot, thanks to the round line ends.
            data += isDrawing ? "L\(place)" : "M\(place)L\(place)"
            isDrawing = true
        }
        return SVG.path(data, "run run\(run % styles)")
    }

    /// A dashed line across the panel at `value`, named at its left end.
    public static func threshold(_ value: Double, _ name: String, in frame: Figure.Frame) -> String {
        let (x, y) = (frame.x(0), frame.y(value))
        return SVG.path("M\(SVG.number(x)) \(SVG.number(y))H\(SVG.number(frame.x(frame.length)))", "threshold")
            + SVG.text(x + 6, y - 5, name, "note")
    }

    /// A bar that stands on the axis.
    public static func bar(from: Double, to: Double, value: Double, style: String, in frame: Figure.Frame) -> String {
        SVG.path(box(frame.x(from), frame.x(to), frame.y(0), frame.y(value)), style)
    }

    /// An upright line from a lower to an upper value, with ends.
    public static func whisker(at place: Double, from low: Double, to high: Double, in frame: Figure.Frame) -> String {
        let (x, foot, head) = (frame.x(place), frame.y(low), frame.y(high))
        let (left, width) = (SVG.number(x - 5), "10")
        return SVG.path(
            "M\(left) \(SVG.number(foot))h\(width)M\(left) \(SVG.number(head))h\(width)"
                + "M\(SVG.number(x)) \(SVG.number(foot))V\(SVG.number(head))", "calls")
    }

    /// A dot in the colour of a run.
    public static func dot(at place: Double, value: Double, run: Int, in frame: Figure.Frame) -> String {
        let (x, y) = (SVG.number(frame.x(place)), SVG.number(frame.y(value)))
        return "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"4\" class=\"dot\(run % styles)\"/>\n"
    }

    /// The data of a rectangle between drawing units.
    public static func box(_ left: Double, _ right: Double, _ foot: Double, _ head: Double) -> String {
        "M\(SVG.number(left)) \(SVG.number(foot))V\(SVG.number(head))H\(SVG.number(right))V\(SVG.number(foot))Z"
    }
}
