/// A drawing of panels, one above the other, over one axis.
public struct Figure: Sendable {
    static let width = 960.0
    static let left = 54.0
    static let right = 14.0
    static let panelHeight = 112.0
    private static let strip = 16.0
    private static let foot = 40.0

    let panels: [Panel]
    let axis: Axis
    let window: ClosedRange<Double>?
    let steps: [Step]
    let keys: [Key]
    let description: String

    /// A drawing; `window` is shaded, `steps` are marked in every panel, and `description` is for those who cannot see it.
    public init(
        panels: [Panel], axis: Axis, window: ClosedRange<Double>? = nil, steps: [Step] = [], keys: [Key] = [],
        description: String
    ) {
        self.panels = panels
        self.axis = axis
        self.window = window
        self.steps = steps
        self.keys = keys
        self.description = description
    }

    /// The SVG element, for a page that has the style.
    public var svg: String {
        "<svg viewBox=\"\(Self.viewBox(height))\" role=\"img\" aria-label=\"\(description.escaped)\">\n"
            + content + "</svg>\n"
    }

    /// A file that needs nothing else, with the figures one below the other.
    public static func document(_ figures: [Figure]) -> String {
        var body = ""
        var height = 0.0
        for figure in figures {
            body += "<g transform=\"translate(0 \(SVG.number(height)))\">\n\(figure.content)</g>\n"
            height += figure.height
        }
        let label = figures.map(\.description).joined(separator: "; ").escaped
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"\(viewBox(height))\" role=\"img\" "
            + "aria-label=\"\(label)\">\n<style>\n\(FigureStyle.colours)\n\(FigureStyle.shapes)\n</style>\n"
            + SVG.rectangle(0, 0, width, height, "paper") + body + "</svg>\n"
    }

    /// The height above each panel, for its heading if it has one.
    private var head: Double {
        panels.allSatisfy(\.title.isEmpty) ? 6 : 32
    }

    /// Where the axis lies.
    private var bottom: Double { Self.strip + Double(panels.count) * (head + Self.panelHeight) }

    private var height: Double { bottom + Self.foot + (keys.isEmpty ? 0 : 24) }

    private static func viewBox(_ height: Double) -> String { "0 0 \(SVG.number(width)) \(SVG.number(height))" }

    private var content: String {
        var body = ""
        for (index, panel) in panels.enumerated() {
            let top = Self.strip + Double(index) * (head + Self.panelHeight) + head
            let frame = Frame(top: top, scale: panel.scale, length: axis.length)
            body += shade(frame) + grid(frame) + panel.draw(frame) + marks(frame)
            body += SVG.text(Self.left, top - 9, panel.title, "title")
            body += SVG.text(Self.width - Self.right, top - 9, panel.note, "note end")
        }
        let first = Frame(top: 0, scale: .linear(max: 1), length: axis.length)
        return stripLabels(first) + body + foot(first) + legend
    }

    /// Colours the window.
    private func shade(_ frame: Frame) -> String {
        guard let window else { return "" }
        let start = frame.x(window.lowerBound)
        return SVG.rectangle(start, frame.top, frame.x(window.upperBound) - start, Self.panelHeight, "window")
    }

    /// Draws the lines and labels of the values.
    private func grid(_ frame: Frame) -> String {
        frame.scale.ticks.map { tick in
            let y = frame.y(tick)
            return SVG.line(Self.left, y, Self.width - Self.right, y, "grid")
                + SVG.text(Self.left - 7, y + 4, SVG.label(tick), "tick end")
        }.joined()
    }

    /// Marks the steps.
    private func marks(_ frame: Frame) -> String {
        steps.filter { $0.at <= axis.length }.map { step in
            SVG.line(frame.x(step.at), frame.top, frame.x(step.at), frame.top + Self.panelHeight, "step")
        }.joined()
    }

    /// Names the steps above the first panel.
    private func stripLabels(_ frame: Frame) -> String {
        steps.filter { $0.at < axis.length }.map { step in
            SVG.text(frame.x(step.at), Self.strip - 3, step.name, "strip")
        }.joined()
    }

    /// Labels the axis below the last panel.
    private func foot(_ frame: Frame) -> String {
        let ticks = axis.ticks.map { tick in
            let x = frame.x(tick.at)
            return (axis.hasStrokes ? SVG.line(x, bottom, x, bottom + 4, "axis") : "")
                + SVG.text(x, bottom + 17, tick.name, "tick middle")
        }
        return SVG.line(Self.left, bottom, Self.width - Self.right, bottom, "axis") + ticks.joined()
            + SVG.text((Self.left + Self.width - Self.right) / 2, bottom + 34, axis.title, "tick middle")
    }

    /// Names the colours below the axis.
    private var legend: String {
        var x = Self.left
        return keys.map { key in
            // Wide enough for the text in any font: 6.5 units a character.
            defer { x += 42 + 6.5 * Double(key.name.count) }
            let y = bottom + Self.foot + 8
            let mark =
                key.isLine
                ? SVG.line(x, y, x + 16, y, key.style) : SVG.rectangle(x + 2, y - 6, 12, 12, key.style)
            return mark + SVG.text(x + 22, y + 4, key.name, "note")
        }.joined()
    }
}
