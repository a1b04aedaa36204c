extension RoutingStudy: ScenarioResult {
    var tsv: String {
        let header = ["policy", "ttft_p50", "ttft_p99", "hit_rate", "goodput"]
        let cells = rows.map { row in
            [
                row.rule.label, Cells.number(Self.quantile(0.5, of: row.first), 3),
                Cells.number(Self.quantile(0.99, of: row.first), 3), Cells.number(row.hitRate, 4),
                Cells.number(row.goodput, 3),
            ]
        }
        return Cells.tsv(header, cells)
    }

    var table: String {
        let header = ["policy", "p50 s", "p90 s", "p99 s", "hits %", "good/s", "good %", "answered", "refused"]
        func times(_ first: [Double]) -> [String] {
            [0.5, 0.9, 0.99].map { Cells.number(Self.quantile($0, of: first), 3) }
        }
        let cells = rows.map { row in
            [row.rule.label] + times(row.first)
                + [
                    Cells.number(100 * row.hitRate, 2), Cells.number(row.goodput, 3), Cells.number(100 * row.good, 2),
                    "\(row.first.count)", "\(row.refused)",
                ]
        }
        let least = ["floor"] + times(floor.first) + [Cells.number(100 * floor.hitRate, 2)]
        let rest = Array(repeating: "", count: header.count - least.count)
        return """
            \(intro)

            \(Cells.table(header, cells + [least + rest]))

            p50, p90, p99: seconds to the first token\(seeds.count > 1 ? ", of all seeds together; what else is a rate is a mean" : "").
            hits: the share of the prompts' tokens that an engine had kept. good: answers within the goal.
            floor: each request alone on an idle engine that has kept all that came before; no rule can pass it.
            """
    }

    private var intro: String {
        let asked = capacity * settings.load
        let clients = settings.clients == 1 ? "1 client" : "\(settings.clients) clients"
        return """
            routing: \(trace.arrivals.count) requests of \(trace.name), recorded in \(Self.minutes(trace.seconds)), played in \
            \(Self.minutes(Double(trace.arrivals.count) / asked)); seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)
            \(settings.replicas) replicas, \(clients), reports every \(settings.staleness) s; \(settings.engineName)
            Load \(Cells.number(100 * settings.load, 0)) %: \(Cells.number(asked, 2)) requests a second. 100 % is \
            \(Cells.number(capacity, 2)): what the fleet serves under round robin when it never has nothing to do
            Goal: first token within \(Cells.number(settings.goal.first, 0)) s, then no more than \
            \(Cells.number(1_000 * settings.goal.between, 0)) ms between two tokens
            """
    }

    private static func minutes(_ seconds: Double) -> String { "\(Cells.number(seconds / 60, 1)) min" }
}
