import Drawing

extension CanaryStudy: ScenarioResult {
    private static let promise = 1.0
    private static let goal = 400.0

    var table: String {
        let alarms = (harmless + confounded).map { row in
            [
                row.traffic.name, Cells.number(row.rolledBack, 2), row.usual,
                Cells.number(100 * Double(row.peeked) / Double(row.seeds), 1),
            ]
        }
        let finds = harmful.map { row in
            [
                row.traffic.name, Cells.number(row.rolledBack, 2), number(row.calls(0.5)), number(row.calls(0.99)),
                number(row.found.last), row.usual,
            ]
        }
        return """
            canary: \(Cells.number(100 * share, 0)) % of the calls go to a new model, seeds \(seeds.lowerBound) to \
            \(seeds.upperBound - 1)

            It is not worse by more than it may be, for \(calls) calls of it in each seed:

            \(Cells.table(["traffic", "rolled back %", "mostly by", "t-test at every look %"], alarms))

            Tenants that keep their arm and differ from each other are what no comparison can tell from a change.

            It is worse. Calls of it until it was rolled back:

            \(Cells.table(["traffic", "found %", "median", "99 %", "most", "mostly by"], finds))
            """
    }

    private func number(_ calls: Int?) -> String { calls.map { "\($0)" } ?? "NA" }

    var tsv: String {
        let header = [
            "study", "traffic", "seeds", "rolled_back_percent", "calls_median", "calls_p99", "calls_most", "mostly_by",
            "t_test_percent",
        ]
        func cells(_ study: String, _ row: Row) -> [String] {
            [
                study, row.traffic.name, "\(row.seeds)", Cells.number(row.rolledBack, 3), number(row.calls(0.5)),
                number(row.calls(0.99)), number(row.found.last), row.found.isEmpty ? "NA" : row.usual,
                study == "harmful" ? "NA" : Cells.number(100 * Double(row.peeked) / Double(row.seeds), 2),
            ]
        }
        return Cells.tsv(
            header,
            harmless.map { cells("harmless", $0) } + confounded.map { cells("confounded", $0) }
                + harmful.map { cells("harmful", $0) })
    }

    var svg: String {
        let alarms = harmless.map(\.rolledBack)
        let finds = harmful.map { (median: Double($0.calls(0.5) ?? 0), late: Double($0.calls(0.99) ?? 0)) }
        let alarm = Figure(
            panels: [
                Figure.Panel(
                    title: "Rolled back for nothing, in percent of seeds",
                    note: "dashed: what was allowed", scale: .linear(holding: alarms + [Self.promise])
                ) { frame in
                    Self.bars(alarms, "bad", 0.4, in: frame) + Marks.threshold(Self.promise, "", in: frame)
                }
            ], axis: .names(harmless.map { Self.short($0.traffic.name) }, title: ""),
            description: "How often a new model that is not worse is rolled back")
        let found = Figure(
            panels: [
                Figure.Panel(
                    title: "Calls of the new model until it was rolled back",
                    note: "dashed: the goal for the first content",
                    scale: .linear(holding: finds.map(\.late) + [Self.goal])
                ) { frame in
                    Self.bars(finds.map(\.late), "dot0", 0.4, in: frame)
                        + Self.bars(finds.map(\.median), "good", 0.4, in: frame)
                        + Marks.threshold(Self.goal, "", in: frame)
                }
            ], axis: .names(harmful.map { Self.short($0.traffic.name) }, title: ""),
            keys: [.area("good", "half of the seeds"), .area("dot0", "99 % of them")],
            description: "After how many calls a worse model is rolled back")
        return Figure.document([alarm, found])
    }

    private static func bars(_ values: [Double], _ style: String, _ width: Double, in frame: Figure.Frame) -> String {
        values.enumerated().map { index, value in
            let place = Double(index) + 0.5
            return Marks.bar(from: place - width / 2, to: place + width / 2, value: value, style: style, in: frame)
        }.joined()
    }

    /// Names that fit below a bar.
    private static func short(_ name: String) -> String {
        [
            ("at every tolerance", "at tolerance"), ("first content ", ""), ("after 500 good calls", "late"),
            ("every tenth call × 10, σ 0.5", "10 % × 10"), ("errors 1 % → ", "errors "), ("cost + 30 %", "cost"),
            ("quality − 0.1", "quality"), ("1,000 tenants", "tenants"),
        ].reduce(name) { $0.replacing($1.0, with: $1.1) }
    }
}
