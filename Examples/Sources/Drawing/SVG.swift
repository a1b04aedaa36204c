import Foundation

/// The elements of a drawing, as text; a style is a class of ``FigureStyle``.
public enum SVG {
    /// A straight line.
    public static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
        let from = "x1=\"\(number(x1))\" y1=\"\(number(y1))\""
        return "<line \(from) x2=\"\(number(x2))\" y2=\"\(number(y2))\" class=\"\(style)\"/>\n"
    }

    /// A rectangle.
    public static func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String
    ) -> String {
        let place = "x=\"\(number(x))\" y=\"\(number(y))\""
        return "<rect \(place) width=\"\(number(width))\" height=\"\(number(height))\" class=\"\(style)\"/>\n"
    }

    /// A text that is shown literally; nothing for an empty one.
    public static func text(_ x: Double, _ y: Double, _ text: String, _ style: String) -> String {
        let place = "x=\"\(number(x))\" y=\"\(number(y))\""
        return text.isEmpty ? "" : "<text \(place) class=\"\(style)\">\(text.escaped)</text>\n"
    }

    /// A path; nothing for empty data.
    public static func path(_ data: String, _ style: String) -> String {
        data.isEmpty ? "" : "<path d=\"\(data)\" class=\"\(style)\"/>\n"
    }

    /// A coordinate with one decimal.
    public static func number(_ value: Double) -> String {
        String(format: "%.1f", value)
    }

    /// A number for people, without a useless decimal.
    public static func label(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}

extension String {
    /// The text as HTML shows it literally, in elements and in quoted attributes.
    public var escaped: String {
        [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")].reduce(self) { text, pair in
            text.replacingOccurrences(of: pair.0, with: pair.1)
        }
    }
}
