import CostLedger

extension Report {
    var billColumns: [String] {
        [
            "bill", "read", "generated", "total", "in answers", "wasted", "share", "in target", "per answer",
            "against \(runs[0].settings.label)",
        ]
    }
    /// What a cell says that cannot be filled.
    static let unknown = "not known"

    /// The bills in the order of the runs; nil for a run whose work is not known.
    var bills: [RunBill?] { runs.map { RunBill(of: $0, prices: prices) } }

    /// One row for each run; as many cells as there are columns.
    var billRows: [[String]] {
        zip(runs, bills).enumerated().map { index, pair in
            let (run, bill) = pair
            guard let bill, let work = run.work else {
                return [run.settings.label] + billColumns.dropFirst().map { _ in Self.unknown }
            }
            return [
                run.settings.label, Self.grouped(work.total.prompt), Self.grouped(work.total.generated),
                "\(bill.total)", "\(bill.useful)", "\(bill.wasted)", Self.percent(tenths: bill.tenthsWasted),
                "\(bill.withinSLO)", bill.perAnswer.map { "\($0)" } ?? "–", index == 0 ? "–" : comparison(bill),
            ]
        }
    }

    /// What the bill's columns mean, and where the prices come from.
    var billLegend: String {
        """
        read: prompt tokens, and generated: answer tokens, of all attempts that the replicas worked on, also of those \
        that were aborted or lost, but none of calls that were refused, waited or hung; in answers: what users got whole, each prompt and answer once; wasted: the rest of \
        the total; per answer: the total for each good answer with its first token in the target; against: that of the \
        first run
        prices: \(prices.text)
        """
    }

    /// The bills for the terminal.
    var billTable: String { TextTable(columns: billColumns, rows: billRows, words: 1, group: runs.count).text }

    /// What the reader must know before believing the bills; empty when all is well.
    var billWarnings: [String] {
        runs.compactMap { run in
            let label = run.settings.label
            guard let work = run.work else { return "\(label): its result does not say what the replicas worked on" }
            if !work.total.covers(work.answers) {
                return "\(label): users got more tokens than the replicas worked on, so its bill is not known"
            }
            return work.unfinished == 0
                ? nil
                : "\(label): the replicas were still at \(work.unfinished) calls, whose further cost is not in the bill"
        }
    }

    /// How an answer's price compares with that of the first run.
    func comparison(_ bill: RunBill) -> String {
        guard let first = bills.first ?? nil, let tenths = bill.tenthsCheaper(than: first) else { return "–" }
        return Self.percent(tenths: abs(tenths)) + (tenths < 0 ? " more" : " less")
    }

    /// An amount with all its digits; `unknown` for nil, for scripts.
    static func money(_ amount: Money?) -> String { amount.map { "\($0)" } ?? "unknown" }

    /// A share given in tenths of a percent; a dash for nil.
    static func percent(tenths: Int?) -> String { tenths.map { "\($0 / 10).\($0 % 10)%" } ?? "–" }

    /// A count of 0 or more with a comma before every three digits.
    static func grouped(_ count: Int) -> String {
        let digits = Array(String(count))
        return digits.indices.map { index in
            index > 0 && (digits.count - index).isMultiple(of: 3) ? ",\(digits[index])" : "\(digits[index])"
        }.joined()
    }
}
