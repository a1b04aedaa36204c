import Drawing

extension FairnessStudy: ScenarioResult {
    var table: String {
        let header = ["policy", "nine lose %", "worst of them %", "greedy gets %", "fleet used %", "p99 wait s"]
        let cells = rows.map { row in
            [
                row.policy.name, Cells.number(row.lost.mean, 2), Cells.number(row.mostLost.most, 2),
                Cells.number(row.greedy.mean, 1), Cells.number(row.used.mean, 1), Cells.number(row.wait.mean, 2),
            ]
        }
        let mixHeader = ["policy", "long, answers/s", "short, answers/s", "dominant shares, long ÷ short", "tokens/s"]
        let mixCells = mixes.map { mix in
            [
                mix.policy.name, Cells.number(mix.long.mean, 2), Cells.number(mix.short.mean, 2),
                Cells.number(mix.ratio.mean, 2), Cells.number(mix.tokens.mean, 0),
            ]
        }
        return """
            fairness: ten tenants, seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)

            One asks for ten times its share, nine for half of theirs:

            \(Cells.table(header, cells))

            Greedy gets: of what is left when the nine have what they ask for. Worst: of any tenant in any seed.

            All ask for three times their share, five with prompts of 6,000 tokens and five with prompts of 200, each:

            \(Cells.table(mixHeader, mixCells))
            """
    }

    var tsv: String {
        let header = [
            "study", "policy", "lost_percent_mean", "lost_percent_worst", "greedy_percent_mean", "used_percent_mean",
            "wait_p99_mean", "long_per_second", "short_per_second", "dominant_ratio", "tokens_per_second", "seeds",
        ]
        let greedy = rows.map { row in
            [
                "greedy", row.policy.name, Cells.number(row.lost.mean, 4), Cells.number(row.mostLost.most, 4),
                Cells.number(row.greedy.mean, 3), Cells.number(row.used.mean, 3), Cells.number(row.wait.mean, 3), "NA",
                "NA", "NA", "NA", "\(seeds.count)",
            ]
        }
        let mixed = mixes.map { mix in
            [
                "mixed", mix.policy.name, "NA", "NA", "NA", "NA", "NA", Cells.number(mix.long.mean, 4),
                Cells.number(mix.short.mean, 4), Cells.number(mix.ratio.mean, 4), Cells.number(mix.tokens.mean, 1),
                "\(seeds.count)",
            ]
        }
        return Cells.tsv(header, greedy + mixed)
    }

    var svg: String {
        let lost = panel("Calls of the nine modest tenants that were not answered, in percent", rows.map(\.lost.mean))
        let greedy = panel("What the greedy one got of what was left, in percent", rows.map(\.greedy.mean), line: 100)
        let used = panel("Answers in percent of what the fleet can give", rows.map(\.used.mean), line: 100)
        let tenants = Figure(
            panels: [lost, greedy, used], axis: .names(rows.map(\.policy.name), title: ""),
            description: "What ten tenants get of a fleet of which one asks for ten times its share")
        let ratio = panel(
            "Dominant share of a tenant with long prompts ÷ that of one with short ones", mixes.map(\.ratio.mean),
            line: 1)
        let shares = Figure(
            panels: [ratio], axis: .names(mixes.map(\.policy.name), title: ""),
            description: "Shares of tenants with long and short prompts")
        return Figure.document([tenants, shares])
    }

    private func panel(_ title: String, _ values: [Double], line: Double? = nil) -> Figure.Panel {
        let lines = line.map { [$0] } ?? []
        return Figure.Panel(title: title, note: "", scale: .linear(holding: values + lines)) { frame in
            values.enumerated().map { index, value in
                Marks.bar(
                    from: Double(index) + 0.25, to: Double(index) + 0.75, value: value, style: "dot\(index % 4)",
                    in: frame)
            }.joined() + lines.map { Marks.threshold($0, "", in: frame) }.joined()
        }
    }
}
