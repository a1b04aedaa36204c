extension Figure {
    /// One panel: a heading, a scale and what is drawn in it.
    public struct Panel: Sendable {
        let title: String
        let note: String
        let scale: Scale
        let draw: @Sendable (Frame) -> String

        /// A panel with a heading on its left, a note on its right and what `draw` returns as SVG.
        public init(
            title: String, note: String, scale: Scale, draw: @escaping @Sendable (_ frame: Frame) -> String
        ) {
            self.title = title
            self.note = note
            self.scale = scale
            self.draw = draw
        }
    }

    /// What lies below all panels, from left to right.
    public struct Axis: Sendable {
        /// A place with a label.
        public typealias Tick = (at: Double, name: String)

        let length: Double
        let ticks: [Tick]
        let title: String
        /// Whether the ticks get a stroke, because they name points and not spans.
        let hasStrokes: Bool

        /// An axis of time from 0 to more than 0 seconds.
        public static func seconds(_ length: Double, title: String) -> Axis {
            let step = [5.0, 10, 30, 60, 120, 300, 600].first { length / $0 <= 12 } ?? 1800
            let ticks = stride(from: 0, through: length, by: step).map { ($0, SVG.label($0)) }
            return Axis(length: length, ticks: ticks, title: title, hasStrokes: true)
        }

        /// An axis of numbers from 0 to more than 0.
        public static func numbers(_ length: Double, title: String) -> Axis {
            let ticks = Scale.linear(holding: [length]).ticks.filter { $0 <= length }
            return Axis(length: length, ticks: ticks.map { ($0, SVG.label($0)) }, title: title, hasStrokes: true)
        }

        /// An axis of things: the first lies between 0 and 1, the next between 1 and 2.
        public static func names(_ names: [String], title: String) -> Axis {
            let ticks = names.enumerated().map { (Double($0.offset) + 0.5, $0.element) }
            return Axis(length: Double(max(names.count, 1)), ticks: ticks, title: title, hasStrokes: false)
        }
    }

    /// A moment at which something changes.
    public struct Step: Sendable {
        let at: Double
        let name: String

        /// A change at a place of the axis.
        public init(at: Double, name: String) {
            self.at = at
            self.name = name
        }
    }

    /// What a colour stands for, in drawings that stand alone.
    public struct Key: Sendable {
        let style: String
        let name: String
        let isLine: Bool

        /// The key to a filled shape.
        public static func area(_ style: String, _ name: String) -> Key {
            Key(style: style, name: name, isLine: false)
        }

        /// The key to a line.
        public static func line(_ style: String, _ name: String) -> Key { Key(style: style, name: name, isLine: true) }
    }

    /// Where a panel lies, in the drawing's units.
    public struct Frame: Sendable {
        let top: Double
        let scale: Scale
        /// Where the axis ends, in its own units; it begins at 0.
        public let length: Double

        /// The horizontal place of a value of the axis.
        public func x(_ value: Double) -> Double {
            Figure.left + min(max(value / length, 0), 1) * (Figure.width - Figure.left - Figure.right)
        }

        /// The vertical place of a value.
        public func y(_ value: Double) -> Double {
            top + Figure.panelHeight * (1 - scale.position(value))
        }
    }
}
