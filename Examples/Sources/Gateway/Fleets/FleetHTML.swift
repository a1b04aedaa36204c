import Drawing
import Foundation
import Hummingbird

/// The fleets as a page for people, which loads nothing and comes anew by itself.
struct FleetHTML: Sendable {
    let page: FleetPage

    /// Seconds until a browser asks again.
    private static let reload = 3

    /// The page for a browser, which is told to run and fetch nothing.
    var response: Response {
        let headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .vary: "accept",
            .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: .init(string: text)))
    }

    /// The whole page, which is well-formed XML, too.
    var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta http-equiv="refresh" content="\(Self.reload)"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>Fleets</title>
        <style>
        \(FigureStyle.colours)
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        \(page.fleets.map(Self.fleet).joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private static func fleet(_ fleet: FleetPage.Fleet) -> String {
        let head = [
            "Replica", "Phase", "Calls", "Waiting", "Pending tokens", "KV memory in use", "Prompt tokens/s",
            "Answer tokens/s",
        ]
        let members = fleet.members
        let most = Most(
            calls: members.map(\.calls).max() ?? 0, waiting: members.map(\.waiting).max() ?? 0,
            pending: members.map(\.pendingTokens).max() ?? 0, tokens: members.compactMap(\.tokensPerSecond).max() ?? 0,
            answer: members.compactMap(\.answerTokensPerSecond).max() ?? 0)
        let facts =
            ["rule \(fleet.rule)", fleet.zone.map { "zone \($0)" }, fleet.capacity.map(advice)]
            + [
                fleet.refuses.map { "refuses calls (\($0))" }, fleet.listProblem.map { "list of replicas: \($0)" },
                fleet.idle.flatMap { $0.isEmpty ? nil : "idle: \($0.joined(separator: ", "))" },
            ]
        return """
            <h1>\(fleet.name.escaped)</h1>
            <p>\(facts.compactMap { $0 }.joined(separator: " · ").escaped)</p>
            <div class="scroll"><table>
            <thead><tr>\(head.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
            <tbody>
            \(members.map { row($0, most) }.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }

    private static func advice(_ capacity: FleetPage.Capacity) -> String {
        let demand = capacity.demand.map {
            String(format: ", %.2f calls/s foreseen, %.2f at most", $0.expected, $0.upper)
        }
        let cost = capacity.dollarsPerHour.map { ", $\($0) an hour" }
        return "\(capacity.replicas) replicas recommended (\(capacity.reason)), \(capacity.running) there"
            + (demand ?? "") + (cost ?? "")
    }

    /// What full bars stand for.
    private struct Most {
        let calls: Int
        let waiting: Int
        let pending: Int
        let tokens: Double
        let answer: Double
    }

    private static func row(_ member: FleetPage.Member, _ most: Most) -> String {
        let place = [member.address, member.zone, member.model.map { $0 + (member.version.map { "@\($0)" } ?? "") }]
        let phase = member.phase ?? "unknown"
        let since = member.sinceSeconds.map { " for \(age($0))" } ?? ""
        let drain = member.drain.map { " · \($0.left) left to drain" }
        let details = (member.reason ?? "no health checks") + since + (drain ?? "")
        let kvUse = member.load.kvUse
        let cells = [
            "\(member.name.escaped)<small>\(place.compactMap { $0 }.joined(separator: " · ").escaped)</small>",
            "<b class=\"\(phase.escaped)\">\(phase.escaped)</b><small>\(details.escaped)</small>",
            bar(Double(member.calls), of: Double(most.calls), "\(member.calls)"),
            bar(
                Double(member.waiting), of: Double(most.waiting), "\(member.waiting)",
                member.waiting > 0 ? "the oldest \(age(member.oldestWaitSeconds))" : nil),
            bar(Double(member.pendingTokens), of: Double(most.pending), "\(member.pendingTokens)"),
            bar(kvUse?.value, of: 1, percent(kvUse?.value), kvUse.map { "\(age($0.ageSeconds)) ago" }),
            bar(member.tokensPerSecond, of: most.tokens, number(member.tokensPerSecond)),
            bar(member.answerTokensPerSecond, of: most.answer, number(member.answerTokensPerSecond)),
        ]
        return "<tr>\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }

    /// A value as a bar, with its text and a note beneath; an empty one for what is not known.
    private static func bar(_ value: Double?, of most: Double, _ text: String, _ note: String? = nil) -> String {
        let share = most > 0 ? min(1, max(0, (value ?? 0) / most)) : 0
        // Engines may say anything.
        let width = share.isFinite ? String(format: "%.1f", 100 * share) : "0"
        let small = note.map { "<small>\($0.escaped)</small>" } ?? ""
        return "\(text.escaped)<i class=\"bar\"><i style=\"width:\(width)%\"></i></i>\(small)"
    }

    private static func percent(_ share: Double?) -> String { share.map { String(format: "%.0f %%", 100 * $0) } ?? "–" }
    private static func number(_ value: Double?) -> String { value.map { String(format: "%.0f", $0) } ?? "–" }

    private static func age(_ seconds: Double) -> String {
        seconds < 120
            ? String(format: "%.1f s", seconds)
            : seconds < 7_200 ? String(format: "%.0f min", seconds / 60) : String(format: "%.0f h", seconds / 3_600)
    }

    private static let style = """
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        }
        main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 48px; }
        h1 { font-size: 22px; margin: 24px 0 2px; }
        p, small, th { color: var(--soft); }
        p { margin: 0 0 10px; }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
        table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
        th, td { padding: 7px 12px; text-align: left; vertical-align: top; white-space: nowrap; }
        th { font-weight: 600; border-bottom: 1px solid var(--soft); }
        tr + tr td { border-top: 1px solid var(--line); }
        small { display: block; font-size: 12px; }
        .ready { color: var(--good); } .degraded, .dead { color: var(--bad); } .starting, .draining { color: var(--step); }
        .bar { display: block; min-width: 90px; height: 6px; margin-top: 4px; border-radius: 3px; background: var(--line); }
        .bar i { display: block; height: 6px; border-radius: 3px; background: var(--good); }
        """
}
