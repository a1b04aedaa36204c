import Drawing
import Foundation

/// The comparison of runs in words and numbers.
struct Report: Sendable {
    /// The runs in the order in which they are shown; at least one.
    let runs: [RunResult]
    /// What the bills are reckoned with.
    var prices = TokenPrices.assumed

    static let columns = [
        "phase", "run", "requests", "good", "truncated", "failed", "goodput", "in target", "calls", "wasted",
        "TTFT p50", "p95", "p99",
    ]

    /// One row for each phase and run, the whole run last; as many cells as there are columns.
    var rows: [[String]] {
        let phases = Phase.allCases.map { phase in (phase.rawValue, { (run: RunResult) in run.phases[phase] }) }
        let whole = ("whole run", { (run: RunResult) in Optional(run.total) })
        return (phases + [whole]).flatMap { name, summary in
            runs.compactMap { run in summary(run).map { Self.row(name, run.settings.label, $0) } }
        }
    }

    /// What makes the runs hard to compare; empty when nothing does.
    var differences: [String] {
        func differ<Value: Hashable>(_ name: String, _ value: (RunResult) -> Value) -> String? {
            Set(runs.map(value)).count < 2 ? nil : "\(name) (\(runs.map { "\(value($0))" }.joined(separator: ", ")))"
        }
        var found = [
            differ("trace", \.settings.trace), differ("number of requests", \.total.requests),
            differ("speed", \.settings.speed), differ("seed", \.settings.seed),
            differ("TTFT target", \.settings.sloTTFTMs), differ("client timeout", \.settings.clientTimeout),
        ].compactMap { $0 }
        if runs.contains(where: { $0.script != runs[0].script }) { found.append("fault script") }
        return found
    }

    /// What the reader must know before believing the numbers; empty when all is well.
    var warnings: [String] {
        let late = runs.filter { $0.maxSendLag * 2000 > $0.settings.sloTTFTMs }.map { run in
            "\(run.settings.label): requests were sent up to \(Self.seconds(run.maxSendLag)) s late, because this "
                + "machine could not keep up; its times are not the gateway's alone"
        }
        return (differences.isEmpty ? [] : ["the runs differ in \(differences.joined(separator: ", "))"]) + late
            + billWarnings
    }

    /// The whole text for the terminal; its last line is the result in short.
    var text: String {
        var lines = [table, legend, ""]
        lines += runs.map { "\($0.settings.label): users met \(Self.troubles(of: $0.total))" }
        lines += warnings.map { "warning: \($0)" }
        let speeds = Set(runs.map { Self.number($0.settings.speed) }).sorted().joined(separator: " and ")
        lines += [
            "",
            "TTFT is in seconds of trace time (real time × \(speeds)), of good requests only; the faults are synthetic.",
            "", billTable, billLegend, "",
            "Below: wasted upstream calls in the phase 'during'; goodput, cost and cost per answer over the whole run.",
            lastLine,
        ]
        return lines.joined(separator: "\n")
    }

    /// What the columns mean, in one line.
    var legend: String {
        let targets = Set(runs.map { Self.number($0.settings.sloTTFTMs / 1000) }).sorted().joined(separator: " and ")
        return "in target: good, with the first token within \(targets) s; truncated: ended as if whole, but was not; "
            + "calls: what reached the replicas; wasted: calls that gave nobody a good answer"
    }

    /// The result in one line, for scripts.
    var lastLine: String {
        "demo: "
            + zip(runs, bills).map { run, bill in
                let wasted = run.phases[.during]?.wasted ?? 0
                let goodput = Self.percent(run.total.good, of: run.total.requests)
                return "\(run.settings.label) wasted=\(wasted) goodput=\(goodput)"
                    + " cost=\(Self.money(bill?.total)) per-answer=\(Self.money(bill?.perAnswer))"
            }.joined(separator: " | ")
    }

    /// The rows for the terminal, the runs of each phase together.
    var table: String { TextTable(columns: Self.columns, rows: rows, words: 2, group: runs.count).text }

    /// The kinds of failure with their counts, the most frequent first.
    static func troubles(of summary: RunResult.Summary) -> String {
        var counts = summary.errors
        if summary.truncated > 0 { counts["truncated"] = summary.truncated }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.isEmpty ? "no failure" : sorted.map { "\($0.key) × \($0.value)" }.joined(separator: ", ")
    }

    /// A share with one decimal, rounded down so that 100.0% means all; 0.0% of nothing.
    static func percent(_ part: Int, of whole: Int) -> String {
        let tenths = whole > 0 ? part * 1000 / whole : 0
        return "\(tenths / 10).\(tenths % 10)%"
    }

    /// Seconds with two decimals; a dash for nil.
    static func seconds(_ value: Double?) -> String {
        value.map { String(format: "%.2f", $0) } ?? "–"
    }

    /// A number without a useless decimal.
    static func number(_ value: Double) -> String {
        SVG.label(value)
    }

    /// One row of the table.
    private static func row(_ phase: String, _ label: String, _ summary: RunResult.Summary) -> [String] {
        [
            phase, label, "\(summary.requests)", "\(summary.good)", "\(summary.truncated)",
            "\(summary.bad - summary.truncated)", percent(summary.good, of: summary.requests),
            percent(summary.withinSLO, of: summary.requests), "\(summary.upstreamCalls)", "\(summary.wasted)",
            seconds(summary.ttft.p50), seconds(summary.ttft.p95), seconds(summary.ttft.p99),
        ]
    }
}
