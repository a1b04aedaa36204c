import Drawing
import Foundation

/// The report as one page that loads nothing: drawings and styles are part of it.
struct HTMLPage: Sendable {
    let report: Report

    var runs: [RunResult] { report.runs }
    private var names: String { runs.map(\.settings.label).joined(separator: " and ") }

    /// The whole page, which is well-formed XML, too.
    var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>\("Replay: \(names)".escaped)</title>
        <style>
        \(PageStyle.css)
        </style>
        </head>
        <body>
        <main>
        <h1>\(names.escaped) under the same load and the same faults</h1>
        \(introduction)
        <div class="cards">
        \(cards)
        </div>
        \(figures)
        \(bill)
        <h2>All numbers</h2>
        \(table)
        \(troubles)
        <h2>The faults</h2>
        \(faults)
        </main>
        </body>
        </html>

        """
    }

    /// Says what was run, and what is real about it.
    private var introduction: String {
        let settings = runs[0].settings
        let speeds = Set(runs.map { Report.number($0.settings.speed) }).sorted().joined(separator: " and ")
        let lag = String(format: "%.2f", runs.map(\.maxSendLag).max() ?? 0)
        let warnings = report.warnings.map { "<p class=\"warning\">Warning: \($0.escaped).</p>" }
        return """
            <p class="lead">The requests arrive as recorded in the production trace \
            <b>\(settings.trace.escaped)</b> (\(runs[0].total.requests) requests), whatever became of earlier ones. \
            The prompts are filler text of the recorded length. The <b>faults are synthetic</b>: a script switches \
            them on in simulated replicas. All times are <b>trace time</b>, which is real time × \(speeds). \
            No request was sent more than \(lag) s late.</p>
            \(warnings.joined())
            """
    }

    /// The numbers that matter most, run beside run.
    private var cards: String {
        [
            card("Goodput", "share of users with a whole answer, whole run") {
                Report.percent($0.total.good, of: $0.total.requests)
            },
            card("Wasted upstream calls", "calls that gave nobody a whole answer, while faults were on") {
                "\($0.phases[.during]?.wasted ?? 0)"
            },
            card("In target", "share of users with a whole answer that began in time, while faults were on") {
                Report.percent($0.phases[.during]?.withinSLO ?? 0, of: $0.phases[.during]?.requests ?? 0)
            },
            card("TTFT p95", "seconds to the first token of good answers, while faults were on") {
                Report.seconds($0.phases[.during]?.ttft.p95)
            },
            card("Cost per answer", "all that was spent, for each good answer in target, whole run") {
                RunBill(of: $0, prices: report.prices)?.perAnswer.map { "\($0)" } ?? "–"
            },
        ].joined(separator: "\n")
    }

    private func card(_ title: String, _ meaning: String, _ value: (RunResult) -> String) -> String {
        let values = runs.enumerated().map { index, run in
            "<div><span class=\"name\">\(key("run\(index % Marks.styles)"))\(run.settings.label.escaped)</span>"
                + "<span class=\"value\">\(value(run).escaped)</span></div>"
        }
        return "<section class=\"card\"><h3>\(title)</h3><p>\(meaning)</p>"
            + "\(values.joined())</section>"
    }

    /// The drawings with their headings and keys.
    private var figures: String {
        let charts = Charts(runs: runs)
        let runKeys = runs.enumerated().map { ("run\($0.offset % Marks.styles)", $0.element.settings.label) }
        let seconds = RunResult.Timeline.window
        return [
            figure(
                "What users got", "Requests per second, by the second in which they arrived.",
                [("good", "good"), ("bad", "failed or truncated")], charts.outcomes),
            figure(
                "What the replicas were asked to do",
                "Generation calls that reached the replicas, per second, against the good answers that came of them.",
                [("calls", "upstream calls"), ("good", "good answers"), ("bad", "wasted")], charts.calls),
            figure(
                "Wasted calls, added up", "Upstream calls minus good answers since the start.", runKeys,
                charts.wasted),
            figure(
                "Time to first token, p95",
                "In seconds, logarithmic, over the last \(seconds) s of arrivals. Good answers only: who got none is "
                    + "not in it.", runKeys, charts.firstToken),
        ].joined(separator: "\n")
    }

    func figure(
        _ title: String, _ caption: String, _ keys: [(style: String, name: String)], _ svg: String,
        hasWindow: Bool = true
    ) -> String {
        let keys = keys + (hasWindow ? [(style: "window", name: "faults on")] : [])
        let list = keys.map { "<span>\(key($0.style))\($0.name.escaped)</span>" }.joined()
        return """
            <figure>
            <figcaption><h2>\(title)</h2><p>\(caption)</p><div class="keys">\(list)</div></figcaption>
            <div class="scroll">\(svg)</div>
            </figure>
            """
    }

    private func key(_ style: String) -> String {
        "<i class=\"key key-\(style)\"></i>"
    }

    /// The report's rows; the first row of each phase is set off.
    private var table: String { table(Report.columns, report.rows) }

    /// A table whose rows stand together run by run.
    func table(_ columns: [String], _ rows: [[String]]) -> String {
        let head = columns.map { "<th scope=\"col\">\($0.escaped)</th>" }.joined()
        let rows = rows.enumerated().map { index, row in
            let style = index % runs.count == 0 ? " class=\"first\"" : ""
            return "<tr\(style)>" + row.map { "<td>\($0.escaped)</td>" }.joined() + "</tr>"
        }
        return "<div class=\"scroll\"><table><thead><tr>\(head)</tr></thead>\n<tbody>"
            + rows.joined(separator: "\n") + "</tbody></table></div>"
    }

    /// What went wrong for users, and what the columns mean.
    private var troubles: String {
        let target = Report.number(runs[0].settings.sloTTFTMs / 1000)
        let lines = runs.map {
            "<li><b>\($0.settings.label.escaped)</b>: \(Report.troubles(of: $0.total).escaped)</li>"
        }
        return """
            <p>TTFT is in seconds. <b>Truncated</b> streams ended as if all were well, but were not whole. \
            <b>In target</b>: good, with the first token within \(target) s. <b>Calls</b>: generation calls \
            that reached the replicas. What users met instead of a good answer:</p>
            <ul>\(lines.joined())</ul>
            """
    }

    /// The fault script in words; the numbers are those above the drawings.
    private var faults: String {
        let steps = runs[0].script.steps.map { step in
            let what = step.faults.isEmpty ? "faults cleared" : step.faults.map(\.summary).joined(separator: ", ")
            return "<li><b>\(Report.number(step.at)) s</b>: \(what.escaped)</li>"
        }
        return steps.isEmpty ? "<p>None.</p>" : "<ol>\(steps.joined(separator: "\n"))</ol>"
    }
}
