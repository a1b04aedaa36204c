extension StormStudy: ScenarioResult {
    var tsv: String {
        let header = [
            "policy", "goodput_mean", "goodput_ceiling", "wasted_mean", "wasted_floor", "goodput_sd", "wasted_sd",
            "goodput_outage_mean", "goodput_outside_mean", "wasted_outage_mean", "wasted_outside_mean",
            "below_ceiling_worst", "above_floor_percent_mean", "above_floor_percent_worst", "seeds",
        ]
        return Cells.tsv(
            header,
            rows.map { row in
                [
                    row.policy, Cells.number(row.goodput.mean, 3), Cells.number(ceiling.mean, 3),
                    Cells.number(row.wasted.mean, 1), Cells.number(floor.mean, 1),
                    Cells.number(row.goodput.deviation, 3), Cells.number(row.wasted.deviation, 1),
                    Cells.number(row.goodputInOutage.mean, 3), Cells.number(row.goodputOutside.mean, 3),
                    Cells.number(row.wastedInOutage.mean, 1), Cells.number(row.wastedOutside.mean, 1),
                    Cells.number(row.belowCeiling.most, 3), Cells.number(row.aboveFloor.mean, 2),
                    Cells.number(row.aboveFloor.most, 2), "\(seeds.count)",
                ]
            })
    }

    var table: String {
        let header = [
            "policy", "goodput %", "± sd", "in outage", "outside", "wasted", "± sd", "in outage", "outside",
            "above floor",
        ]
        let oracle = [
            "ceiling, floor", Cells.number(ceiling.mean, 3), Cells.number(ceiling.deviation, 3, missing: "–"), "–", "–",
            Cells.number(floor.mean, 0), Cells.number(floor.deviation, 0, missing: "–"), "–", "–", "–",
        ]
        let cells = rows.map { row in
            [
                row.policy, Cells.number(row.goodput.mean, 3), Cells.number(row.goodput.deviation, 3, missing: "–"),
                Cells.number(row.goodputInOutage.mean, 2), Cells.number(row.goodputOutside.mean, 2),
                Cells.number(row.wasted.mean, 0), Cells.number(row.wasted.deviation, 0, missing: "–"),
                Cells.number(row.wastedInOutage.mean, 0), Cells.number(row.wastedOutside.mean, 0),
                Cells.number(row.aboveFloor.mean, 1) + " %",
            ]
        }
        return """
            retry-storm: \(settings.replicas) replicas with \(settings.slotsPerReplica) slots a tick, \
            \(settings.arrivals) requests a tick, \(settings.ticks) ticks,
            \(settings.sickReplicas) replicas sick in the middle third, give or take \(settings.variation) ticks; \
            seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)

            \(Cells.table(header, cells + [oracle]))

            Ceiling: an oracle that knows who is sick. Floor: its natural failures, and \(settings.detection) calls to \
            detect \(settings.sickReplicas) sick replicas.
            Outside the outage more than 100 % may be served: some have waited from it.
            \(Self.textbook)
            """
    }

    /// The published figures, and what its generator gives here.
    private static var textbook: String {
        func line(_ name: String, _ published: String, _ run: (StormFleet) -> StormResult) -> String {
            let result = run(StormFleet(StormSettings(), seed: 1, dice: PythonDice(seed: 1)))
            return "  \(name): published \(published); repeated here "
                + "\(Cells.number(result.goodput, 1)) % and \(result.wasted)"
        }
        return """
            The textbook's single run (its seed 1 and its generator), goodput and wasted calls:
            \(line("naive", "84.9 % and 58319", NaiveRetry().run))
            \(line("breaker", "84.4 % and 5094", TextbookBreaker().run))
            """
    }
}
