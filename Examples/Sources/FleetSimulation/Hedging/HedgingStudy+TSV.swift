extension HedgingStudy: ScenarioResult {
    /// One table for both parts; the first column says which.
    var tsv: String {
        let header = [
            "study", "of_which", "policy", "hedged_percent_mean", "hedged_percent_sd", "p50_mean", "p99_mean", "p99_sd",
            "p99_best", "p99_to_best", "lost_percent_mean", "lost_percent_sd", "work_percent_mean", "wait_mean",
            "over_one_tick_percent", "gave_up_percent", "seeds",
        ]
        let services = parts.flatMap { part in
            part.rows.map { row in
                [
                    part.service.name, "all", row.policy.name, Cells.number(row.hedged.mean, 3),
                    Cells.number(row.hedged.deviation, 3), Cells.number(row.median.mean, 3),
                    Cells.number(row.tail.mean, 3), Cells.number(row.tail.deviation, 3),
                    Cells.number(part.best.seconds, 3), Cells.number(row.tail.mean / part.best.seconds, 3),
                    Cells.number(row.lost.mean, 2), Cells.number(row.lost.deviation, 2),
                    Cells.number(row.work.mean, 2), "NA", "NA", "NA", "\(seeds.count)",
                ]
            }
        }
        let waiting = waits.rows.map { row in
            ["\(row.arrivals) a tick", row.period.rawValue, row.policy, "NA", "NA", "NA"]
                + ["\(row.waits.quantile(0.99))"] + Array(repeating: "NA", count: 6)
                + [
                    Cells.number(row.waits.mean, 4), Cells.number(row.waits.beyondOneTick, 4),
                    Cells.number(row.waits.lost, 3), "\(seeds.count)",
                ]
        }
        return Cells.tsv(header, services + waiting)
    }
}
