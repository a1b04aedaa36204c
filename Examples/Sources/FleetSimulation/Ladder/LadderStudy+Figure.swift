import Drawing

extension LadderStudy {
    private static let styles = ["good", "dot2", "dot1", "dot3", "dot0"]

    /// Answers a minute, by tier, one panel for each policy.
    var svg: String {
        let most = drawn.flatMap { $0.result.minutes.map { Double($0.failed + $0.answered.values.reduce(0, +)) } }
        let figure = Figure(
            panels: drawn.map { kind, result in
                Figure.Panel(
                    title: "Calls a minute: \(kind.rawValue)",
                    note: "\(Cells.number(100 * Double(result.answered) / Double(max(1, result.calls)), 2)) % answered",
                    scale: .linear(holding: most)
                ) { frame in
                    result.minutes.enumerated().map { index, minute in
                        var foot = 0.0, marks = ""
                        let parts = zip(Self.tiers, Self.styles).map { (Double(minute.answered[$0] ?? 0), $1) }
                        for (count, style) in parts + [(Double(minute.failed), "bad")] where count > 0 {
                            let (left, right) = (frame.x(Double(index) * 60 + 4), frame.x(Double(index) * 60 + 56))
                            marks += SVG.path(Marks.box(left, right, frame.y(foot), frame.y(foot + count)), style)
                            foot += count
                        }
                        return marks
                    }.joined()
                }
            }, axis: .seconds(settings.seconds, title: "seconds"),
            window: settings.outage.lowerBound...settings.outage.upperBound,
            steps: [Figure.Step(at: settings.broke, name: "the money is gone")],
            keys: zip(Self.styles, Self.tiers).map { Figure.Key.area($0, $1) } + [.area("bad", "not answered")],
            description: "Calls a minute by the tier that answered them, under three policies")
        return Figure.document([figure])
    }
}
