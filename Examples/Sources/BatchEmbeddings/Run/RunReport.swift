import Spillway

/// What a run did, for people.
struct RunReport: Sendable {
    let counts: Tally.Counts
    let calls: CallCounts.Counts
    let files: Int
    let skipped: Int
    let seconds: Double
    /// By this run; nil: nobody knows a price.
    let spent: Money?
    /// By all runs into the same folder.
    let spentInAll: Money?
    /// Where the result is; nil: it is not whole yet.
    let result: String?
    /// Why it ended before all was done; nil: all is done.
    let ending: Ending?

    /// Passages that are still to do.
    var left: Int { counts.passages - counts.known - counts.embedded - counts.failed }

    /// Lines of a name and a value.
    var text: String {
        let rate = seconds > 0 ? Double(counts.tokens) / seconds : 0
        var rows = [
            ("files", "\(files)" + (skipped > 0 ? ", \(skipped) skipped" : "")),
            ("passages", "\(counts.passages): \(counts.known) were there, \(counts.embedded) embedded"),
            ("tokens", "\(counts.tokens) in \(Self.number(seconds)) s: \(Int(rate.rounded())) a second"),
            ("requests", "\(calls.requests), of which \(calls.retries) were retries"),
            ("429s", "\(calls.rateLimited)"),
            ("other failures", "\(calls.failed)"),
        ]
        if counts.failed > 0 { rows.append(("refused", "\(counts.failed) passages")) }
        if let spent {
            let inAll = spentInAll.map { ", \($0) with earlier runs" } ?? ""
            rows.append(("cost", "\(spent)\(inAll)"))
        }
        if let result { rows.append(("result", result)) }
        if let ending {
            let goesOn = if case .failed = ending { "" } else { ", start it again to go on" }
            rows.append(("ended", "\(ending.text); \(left) passages left\(goesOn)"))
        }
        return rows.map { name, value in
            name + String(repeating: " ", count: 15 - name.count) + value + "\n"
        }.joined()
    }

    private static func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
