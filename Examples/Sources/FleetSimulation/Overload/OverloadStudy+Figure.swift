import Drawing

extension OverloadStudy {
    /// Goodput by load: the best fixed limit, none, Gradient2 and the model rule, for each engine.
    var svg: String { Figure.document(parts.map(figure)) }

    private static let drawn = ["best fixed limit", "model", "Netflix Gradient2", "no limit"]

    private func figure(_ part: Part) -> Figure {
        let rows = Self.drawn.compactMap { name in part.rows.first { $0.name == name } }
        let panel = Figure.Panel(
            title: part.settings.engine.name, note: "answers within the goal, in percent of capacity",
            scale: .linear(max: 100)
        ) { frame in
            rows.enumerated().map { index, row in
                Marks.line(
                    row.goodput.enumerated().map { (Double($0.offset) + 0.5, $0.element.mean) }, run: index, in: frame)
            }.joined()
        }
        return Figure(
            panels: [panel],
            axis: .names(part.settings.loads.map { Cells.number($0, 1) }, title: "arrivals ÷ what the fleet can serve"),
            keys: rows.enumerated().map { .line("run run\($0.offset % Marks.styles)", $0.element.name) },
            description: "Goodput by load for \(part.settings.engine.name)")
    }
}
