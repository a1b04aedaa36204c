extension OverloadStudy: ScenarioResult {
    var table: String {
        let intro = "overload: seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)"
        return ([intro] + parts.map(text) + [Self.notes]).joined(separator: "\n\n")
    }

    private func text(_ part: Part) -> String {
        let settings = part.settings, goal = settings.engine.goal
        let header = ["good answers in % of capacity"] + settings.loads.map { "load \(Cells.number($0, 1))" }
        let fixed = ["it is"] + part.bestFixed.map { "\($0)" }
        let cells = part.rows.map { row in [row.name] + row.goodput.map { Cells.number($0.mean, 1) } }
        let ratios = part.rows.dropLast().map { row in
            [row.name + " ÷ best"] + row.toBest.map { "\(Cells.number($0.mean, 1)) ≥\(Cells.number($0.least, 1))" }
        }
        return """
            \(settings.replicas) replicas, \(settings.engine.name): \(Cells.number(part.capacity, 1)) good answers a second \
            at most
            Goal: first token within \(Cells.number(goal.firstToken, 0)) s, then \(Cells.number(goal.tokensPerSecond, 0)) \
            tokens a second. \(Cells.number(settings.seconds, 0)) s, the first \(Cells.number(settings.warmUp, 0)) not looked at

            \(Cells.table(header, cells + [fixed] + ratios))
            """
    }

    private static var notes: String {
        """
        Capacity: the most good answers a second that a fixed limit gives when far too many calls come.
        Best fixed limit: for each seed and load the one that turned out best; below it the one best over all seeds.
        ÷ best: percent of that, the mean and the worst seed.
        """
    }

    var tsv: String {
        let header = [
            "engine", "load", "policy", "goodput_percent_mean", "goodput_percent_sd", "to_best_percent_mean",
            "to_best_percent_worst", "seeds",
        ]
        let rows = parts.flatMap { part in
            part.settings.loads.indices.flatMap { load in
                part.rows.map { row in
                    [
                        part.settings.engine.rawValue, Cells.number(part.settings.loads[load], 1), row.name,
                        Cells.number(row.goodput[load].mean, 3), Cells.number(row.goodput[load].deviation, 3),
                        Cells.number(row.toBest[load].mean, 3), Cells.number(row.toBest[load].least, 3),
                        "\(seeds.count)",
                    ]
                }
            }
        }
        return Cells.tsv(header, rows)
    }
}
