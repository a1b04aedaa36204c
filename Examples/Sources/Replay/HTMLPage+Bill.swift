import Drawing

extension HTMLPage {
    /// What the runs cost: a drawing, all bills, and each by the replicas that it adds up from.
    var bill: String {
        let known = report.bills.compactMap { $0 }
        // Bars of some runs alone would make the others look free.
        let picture =
            known.count == runs.count
            ? figure(
                "What it cost", "The bill of the whole run, with every attempt in it.",
                [("good", "in answers that users got whole"), ("bad", "wasted")], Charts(runs: runs).bill(known),
                hasWindow: false) : ""
        let notes = report.billLegend.split(separator: "\n").map { "<p>\(String($0).escaped).</p>" }.joined()
        return """
            \(picture)
            <h2>The bill</h2>
            \(table(report.billColumns, report.billRows))
            \(notes)
            \(replicas)
            """
    }

    /// The replicas' shares of each bill; nothing when no bill is known.
    private var replicas: String {
        let count = report.bills.map { $0?.replicas.count ?? 0 }.max() ?? 0
        guard count > 0 else { return "" }
        let rows = zip(runs, report.bills).map { run, bill in
            let cells = (0..<count).map { index in
                bill.map { index < $0.replicas.count ? "\($0.replicas[index])" : "–" } ?? Report.unknown
            }
            return [run.settings.label] + cells + [bill.map { "\($0.total)" } ?? Report.unknown]
        }
        let columns = ["by replica"] + (1...count).map { "\($0)" } + ["total"]
        return table(columns, rows)
    }
}
