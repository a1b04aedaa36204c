extension HedgingStudy {
    var table: String {
        let share = Cells.number(100 * settings.share, 0)
        let intro = """
            hedging: \(settings.calls) calls, \(Cells.number(settings.perSecond, 0)) a second, the first \
            \(settings.warmUp) not looked at; budget \(share) %; seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)
            """
        return ([intro] + parts.map(text) + [notes, waitText]).joined(separator: "\n\n")
    }

    private func text(_ part: Part) -> String {
        let header = ["policy", "hedged %", "± sd", "p50 s", "p99 s", "± sd", "÷ best", "lost %", "work %"]
        let cells = part.rows.map { row in
            [
                row.policy.name, Cells.number(row.hedged.mean, 2), Cells.number(row.hedged.deviation, 2, missing: "–"),
                Cells.number(row.median.mean, 2), Cells.number(row.tail.mean, 2),
                Cells.number(row.tail.deviation, 2, missing: "–"),
                Cells.number(row.tail.mean / part.best.seconds, 2), Cells.number(row.lost.mean, 1),
                Cells.number(row.work.mean, 1),
            ]
        }
        let best = [
            "best", Cells.number(100 * settings.share, 2), "–", "–", Cells.number(part.best.seconds, 2), "–", "1.00",
            "–", "–",
        ]
        return "\(part.service.name): the best hedges \(part.best.text)\n\n\(Cells.table(header, cells + [best]))"
    }

    private var notes: String {
        """
        Best: what any policy can reach that hedges \(Cells.number(100 * settings.share, 0)) % of the calls, computed.
        Lost: seconds of attempts that lost, until they were cancelled, in percent of all attempts' seconds.
        Work: all attempts' seconds in percent of what first attempts alone take. Winners: what other libraries do.
        """
    }

    private var waitText: String {
        let fleet = waits.settings
        let header = [
            "requests a tick", "policy", "arrived", "mean wait", "p99", "over 1 tick %", "gave up %",
        ]
        let cells = waits.rows.map { row in
            [
                "\(row.arrivals)", row.policy, row.period.rawValue, Cells.number(row.waits.mean, 3),
                "\(row.waits.quantile(0.99))", Cells.number(row.waits.beyondOneTick, 4),
                Cells.number(row.waits.lost, 2),
            ]
        }
        return """
            The textbook's exercise: waits in ticks, in a fleet of \(fleet.replicas) replicas with \
            \(fleet.slotsPerReplica) slots a tick,
            \(fleet.sickReplicas) of them sick in the middle third of \(fleet.ticks) ticks; those that wait get two \
            copies, or not.

            \(Cells.table(header, cells))
            """
    }
}

extension BestTail {
    /// What it does, in words.
    fileprivate var text: String {
        "after \(Cells.number(delay, 2)) s, \(Cells.number(100 * probability, 0)) % of those that still run"
    }
}

extension WaitStudy.Row {
    /// The row's name.
    var policy: String { isHedged ? "hedged" : "naive" }
}
