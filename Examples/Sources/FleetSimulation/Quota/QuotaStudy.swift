import Drawing
import SpillwayTesting
import Synchronization

/// What came of all seeds, by case and client.
struct QuotaStudy: Sendable, ScenarioResult {
    /// What came of one case.
    struct Row: Sendable {
        let quotaCase: QuotaCase
        var retries: [QuotaTrial.Counts] = []
        var quota: [QuotaTrial.Counts] = []

        /// 429s of the client that only retries for each one of the quota's.
        var ratio: Double? {
            let ours = quota.reduce(0) { $0 + $1.refused }
            return ours == 0 ? nil : Double(retries.reduce(0) { $0 + $1.refused }) / Double(ours)
        }

        static func mean(_ counts: [QuotaTrial.Counts], _ value: (QuotaTrial.Counts) -> Double) -> Double {
            counts.map(value).reduce(0, +) / Double(max(counts.count, 1))
        }
    }

    let seeds: Range<UInt64>
    let rows: [Row]

    /// Runs every case with both clients on each seed.
    static func run(_ cases: [QuotaCase] = QuotaCase.allCases, seeds: Range<UInt64>) async throws -> QuotaStudy {
        var rows: [Row] = []
        for quotaCase in cases {
            var row = Row(quotaCase: quotaCase)
            row.retries = try await counts(quotaCase, .retries, seeds)
            row.quota = try await counts(quotaCase, .quota, seeds)
            rows.append(row)
        }
        return QuotaStudy(seeds: seeds, rows: rows)
    }

    private static func counts(
        _ quotaCase: QuotaCase, _ client: QuotaTrial.Client, _ seeds: Range<UInt64>
    ) async throws -> [QuotaTrial.Counts] {
        try await Seeds.map(seeds, "quota, \(quotaCase.rawValue)") { seed in
            let simulation = Simulation(seed: seed, limit: 50_000_000)
            return try simulation.run { try await QuotaTrial.run(simulation, quotaCase, client) }
        }
    }

    private static let header = [
        "case", "retries_429s", "quota_429s", "fewer_times", "retries_used_percent", "quota_used_percent",
        "quota_least_percent", "quota_served",
    ]

    private var cells: [[String]] {
        rows.map { row in
            [
                row.quotaCase.rawValue, Cells.number(Row.mean(row.retries) { Double($0.refused) }, 1),
                Cells.number(Row.mean(row.quota) { Double($0.refused) }, 1),
                Cells.number(row.ratio, 1, missing: "none"),
                Cells.number(100 * Row.mean(row.retries, \.used), 2),
                Cells.number(100 * Row.mean(row.quota, \.used), 2),
                Cells.number(row.quota.map { 100 * $0.used }.min(), 2),
                Cells.number(Row.mean(row.quota) { Double($0.served) }, 1),
            ]
        }
    }

    var table: String {
        """
        quota: \(seeds.count) seeds from \(seeds.lowerBound), each 64 callers for 10 minutes after 2 of warm-up, means

        \(Cells.table(Self.header, cells))

        429s that our callers got in all twelve minutes, and how much of the scarcer of two limits (600 requests, 300,000 \
        tokens a minute) all clients really used after the warm-up.
        """
    }

    var tsv: String { Cells.tsv(Self.header, cells) }

    var svg: String {
        func panel(_ title: String, _ values: [(Double, Double)], _ scale: Scale) -> Figure.Panel {
            Figure.Panel(title: title, note: "left: only retries; right: quota; \(seeds.count) seeds", scale: scale) {
                frame in
                values.enumerated().map { index, value in
                    let place = Double(index) + 0.5
                    return Marks.bar(from: place - 0.3, to: place - 0.02, value: value.0, style: "bad", in: frame)
                        + Marks.bar(from: place + 0.02, to: place + 0.3, value: value.1, style: "good", in: frame)
                }.joined()
            }
        }
        let refused = rows.map { row in
            (Row.mean(row.retries) { Double($0.refused) }, Row.mean(row.quota) { Double($0.refused) })
        }
        let mostRefused = refused.flatMap { [$0.0, $0.1] }
        let used = rows.map { (100 * Row.mean($0.retries, \.used), 100 * Row.mean($0.quota, \.used)) }
        let figure = Figure(
            panels: [
                panel("Answers of status 429 in twelve minutes", refused, .linear(holding: mostRefused)),
                panel("Percent of the quota used", used, .linear(holding: used.flatMap { [$0.0, $0.1] })),
            ],
            axis: .names(rows.indices.map { "\($0 + 1)" }, title: "case, in the order of the table"),
            description: "429s and use of a provider's quota, by case and client")
        return Figure.document([figure])
    }
}
