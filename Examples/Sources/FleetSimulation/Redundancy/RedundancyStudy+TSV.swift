import Spillway

extension RedundancyStudy: ScenarioResult {
    /// One table for all parts; the first column says which.
    var tsv: String {
        let header = [
            "study", "zones", "spares", "attainment_mean", "attainment_sd", "single_run_low", "single_run_high",
            "attainment_computed", "attainment_textbook", "textbook_within", "availability_mean", "availability_sd",
            "availability_textbook", "monthly_usd", "seeds",
        ]
        let simulated = [("spares", spares), ("target", target.rows), ("zones", zones)].flatMap { name, rows in
            rows.map { row in
                [
                    name, "\(row.zones)", "\(row.spares)", Cells.number(row.attainment.mean, 4),
                    Cells.number(row.attainment.deviation, 4), Cells.number(row.singleRun?.lowerBound, 4),
                    Cells.number(row.singleRun?.upperBound, 4), Cells.number(row.computed, 6),
                    Cells.number(row.textbook?.attainment, 3),
                    row.holdsTextbook.map { $0 ? "yes" : "no" } ?? "NA", Cells.number(row.availability?.mean, 4),
                    Cells.number(row.availability?.deviation, 4), Cells.number(row.textbook?.availability, 3), "NA",
                    "\(seeds.count)",
                ]
            }
        }
        let plan = try? Redundancy(needed: Self.exercise.needed, availability: Self.exercise.availability)
        let blank = Array(repeating: "NA", count: 4)
        let priced = nines.map { nine in
            let shortfall = try? plan?.shortfall(spares: nine.spares)
            let computed = Cells.number(shortfall.map { 100 - $0 * 100 }, 9)
            return ["nine \(nine.nines)", "1", "\(nine.spares)"] + blank + [computed] + blank
                + ["NA", Self.dollars(nine.monthlyNanoDollars), "NA"]
        }
        return Cells.tsv(header, simulated + priced)
    }

    /// Whole dollars, rounded down.
    static func dollars(_ nanoDollars: Int64) -> String { "\(nanoDollars / 1_000_000_000)" }
}
