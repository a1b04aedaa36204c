extension RedundancyStudy {
    var table: String {
        [intro, spareTable, targetText, nineText, zoneText].joined(separator: "\n\n")
    }

    private var intro: String {
        let fleet = options.settings
        return """
            redundancy: \(fleet.needed) replicas needed, \(fleet.ticks) ticks, failure \(fleet.failure), recovery \
            \(fleet.recovery), lag \(fleet.lag), \(fleet.requests) requests a tick; \
            seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)
            """
    }

    private var spareTable: String {
        let cells = spares.map { row in
            [
                "N+\(row.spares)", Cells.number(row.availability?.mean, 3, missing: "–"),
                Cells.number(row.attainment.mean, 3), Cells.number(row.attainment.deviation, 3, missing: "–"),
                Self.range(row.singleRun), Cells.number(row.computed, 3),
                Cells.number(row.textbook?.attainment, 3, missing: "–"),
                row.holdsTextbook.map { $0 ? "yes" : "no" } ?? "–",
            ]
        }
        let header = [
            "replicas", "availability %", "attainment %", "± sd", "95 % of runs", "A(N,k) %", "textbook %", "within",
        ]
        return Cells.table(header, cells)
    }

    private var targetText: String {
        let goal = "\(target.attainment) %"
        func spares(_ count: Int?) -> String { count.map { "k = \($0)" } ?? "no k" }
        let cells = target.rows.map { row in
            [
                "N+\(row.spares)", Cells.number(row.attainment.mean, 3),
                Cells.number(row.attainment.deviation, 3, missing: "–"), Cells.number(row.computed, 3),
            ]
        }
        return """
            The smallest k for \(goal) when replicas fail with \(target.failure) a tick: \
            simulated \(spares(target.simulated)), computed \(spares(target.computed)).

            \(Cells.table(["replicas", "attainment %", "± sd", "A(N,k) %"], cells))
            """
    }

    private var nineText: String {
        let cells = nines.map { nine in
            ["\(nine.nines)", "\(nine.spares)", "\(nine.added)", Self.dollars(nine.monthlyNanoDollars)]
        }
        return """
            The cost of a nine: \(Self.exercise.needed) replicas of \(Self.exercise.availability) \
            at \(Self.dollars(Self.exercise.nanoDollarsPerHour)) dollars an hour (730 hours a month).

            \(Cells.table(["nines", "spares", "added", "dollars a month for them"], cells))
            """
    }

    private var zoneText: String {
        let cells = zones.map { row in
            [
                "\(row.zones)", "N+\(row.spares)", Cells.number(row.attainment.mean, 3),
                Self.range(row.attainment.ofMean?.clamped(to: 0...100)), Cells.number(row.computed, 3),
            ]
        }
        return """
            Zones that fail with \(options.zoneFailure) a tick and are back with \(options.zoneRecovery): all replicas in \
            one, or spread.

            \(Cells.table(["zones", "replicas", "attainment %", "95 % of means", "computed %"], cells))
            """
    }

    private static func range(_ range: ClosedRange<Double>?) -> String {
        range.map { "\(Cells.number($0.lowerBound, 3))…\(Cells.number($0.upperBound, 3))" } ?? "–"
    }
}
