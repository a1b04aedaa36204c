import Foundation

/// A drawing of panels, one above the other, over one time axis; an SVG element when rendered.
struct Figure: Sendable {
    /// One panel: a heading, a scale and what is drawn in it.
    struct Panel: Sendable {
        let title: String
        let note: String
        let scale: Scale
        /// Draws into the frame; returns SVG.
        let draw: @Sendable (Frame) -> String
    }

    /// Where a panel lies, in the drawing's units.
    struct Frame: Sendable {
        let top: Double
        let scale: Scale
        /// Trace seconds that the time axis covers.
        let seconds: Double

        /// The horizontal place of a trace second.
        func x(_ second: Double) -> Double {
            Figure.left + min(max(second / seconds, 0), 1) * (Figure.width - Figure.left - Figure.right)
        }

        /// The vertical place of a value.
        func y(_ value: Double) -> Double {
            top + Figure.panelHeight * (1 - scale.position(value))
        }
    }

    static let width = 960.0
    static let left = 46.0
    static let right = 14.0
    static let panelHeight = 112.0
    private static let strip = 16.0
    private static let foot = 40.0

    let panels: [Panel]
    /// Trace seconds that the time axis covers; more than 0.
    let seconds: Double
    let script: FaultScript
    /// What the drawing shows, for those who cannot see it.
    let description: String

    /// The height above each panel, for its heading if it has one.
    private var head: Double {
        panels.allSatisfy(\.title.isEmpty) ? 6 : 32
    }

    /// The SVG element.
    var svg: String {
        let height = Self.strip + Double(panels.count) * (head + Self.panelHeight) + Self.foot
        var body = ""
        for (index, panel) in panels.enumerated() {
            let top = Self.strip + Double(index) * (head + Self.panelHeight) + head
            let frame = Frame(top: top, scale: panel.scale, seconds: seconds)
            body += shade(frame) + grid(frame) + panel.draw(frame) + steps(frame)
            body += text(Self.left, top - 9, panel.title, "title")
            body += text(Self.width - Self.right, top - 9, panel.note, "note end")
        }
        let first = Frame(top: 0, scale: .linear(max: 1), seconds: seconds)
        let size = "\(Self.number(Self.width)) \(Self.number(height))"
        return "<svg viewBox=\"0 0 \(size)\" role=\"img\" aria-label=\"\(description.escaped)\">\n"
            + stripLabels(first) + body + axis(first, height - Self.foot) + "</svg>\n"
    }

    /// Colours the window in which faults are on.
    private func shade(_ frame: Frame) -> String {
        let start = frame.x(script.windowStart)
        return rectangle(start, frame.top, frame.x(script.windowEnd) - start, Self.panelHeight, "window")
    }

    /// Draws the lines and labels of the values.
    private func grid(_ frame: Frame) -> String {
        frame.scale.ticks.map { tick in
            let y = frame.y(tick)
            return line(Self.left, y, Self.width - Self.right, y, "grid")
                + text(Self.left - 7, y + 4, Report.number(tick), "tick end")
        }.joined()
    }

    /// Marks where the faults change.
    private func steps(_ frame: Frame) -> String {
        script.steps.filter { $0.at <= seconds }.map { step in
            line(frame.x(step.at), frame.top, frame.x(step.at), frame.top + Self.panelHeight, "step")
        }.joined()
    }

    /// Names the steps above the first panel.
    private func stripLabels(_ frame: Frame) -> String {
        script.steps.enumerated().filter { $0.element.at < seconds }.map { index, step in
            let name = step.faults.isEmpty ? "faults cleared" : "faults \(index + 1)"
            return text(frame.x(step.at), Self.strip - 3, name, "strip")
        }.joined()
    }

    /// Labels the time axis below the last panel.
    private func axis(_ frame: Frame, _ bottom: Double) -> String {
        let step = [5.0, 10, 30, 60, 120, 300, 600].first { seconds / $0 <= 12 } ?? 1800
        let ticks = stride(from: 0, through: seconds, by: step).map { tick in
            line(frame.x(tick), bottom, frame.x(tick), bottom + 4, "axis")
                + text(frame.x(tick), bottom + 17, Report.number(tick), "tick middle")
        }
        return line(Self.left, bottom, Self.width - Self.right, bottom, "axis") + ticks.joined()
            + text((Self.left + Self.width - Self.right) / 2, bottom + 34, "trace time, seconds", "tick middle")
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
        let from = "x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\""
        return "<line \(from) x2=\"\(Self.number(x2))\" y2=\"\(Self.number(y2))\" class=\"\(style)\"/>\n"
    }

    private func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String) -> String {
        let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
        let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
        return "<rect \(place) \(size) class=\"\(style)\"/>\n"
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ style: String) -> String {
        let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
        return text.isEmpty ? "" : "<text \(place) class=\"\(style)\">\(text.escaped)</text>\n"
    }

    /// A coordinate with one decimal.
    static func number(_ value: Double) -> String {
        String(format: "%.1f", value)
    }
}

extension String {
    /// The text as HTML shows it literally, in elements and in quoted attributes.
    var escaped: String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")].reduce(self) { text, pair in
            text.replacingOccurrences(of: pair.0, with: pair.1)
        }
    }
}
