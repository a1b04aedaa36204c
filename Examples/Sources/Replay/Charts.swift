import CostLedger
import Drawing

/// The figures of the page: what is drawn for which runs.
struct Charts: Sendable {
    let runs: [RunResult]

    /// Trace seconds on every figure's axis: all arrivals, and the readings while the last answers came.
    private var seconds: Double {
        let arrivals = runs.map { Double($0.timeline.arrivals.count) }
        return max(1, (arrivals + runs.flatMap { $0.calls.map(\.at) }).max() ?? 1)
    }

    /// What users got, second by second; one panel for each run.
    var outcomes: String {
        let scale = Scale.linear(holding: runs.flatMap { $0.timeline.arrivals.map(Double.init) })
        let panels = runs.map { run in
            let during = run.phases[.during]
            let share = during.map { Report.percent($0.good, of: $0.requests) } ?? "–"
            return Figure.Panel(
                title: run.settings.label, note: "\(share) good while the faults were on", scale: scale
            ) { frame in
                Marks.stackedBars(good: run.timeline.good, failed: run.timeline.failed, in: frame)
            }
        }
        return figure(panels, "Requests per second by arrival, split into good and failed")
    }

    /// What reached the replicas against what users got; one panel for each run.
    var calls: String {
        let rates = runs.map { CallRate.between($0.calls) }
        let scale = Scale.linear(holding: rates.joined().flatMap { [$0.calls, $0.good] })
        let panels = zip(runs, rates).map { run, rates in
            Figure.Panel(
                title: run.settings.label,
                note: "\(run.phases[.during]?.wasted ?? 0) wasted calls while the faults were on", scale: scale
            ) { frame in
                Marks.gap(rates, in: frame)
            }
        }
        return figure(panels, "Upstream calls per second against good answers per second")
    }

    /// The wasted calls added up; all runs in one panel.
    var wasted: String {
        let scale = Scale.linear(holding: runs.flatMap { $0.calls.map { Double($0.wasted) } })
        let panel = Figure.Panel(title: "", note: "", scale: scale) { [runs] frame in
            runs.enumerated().map { index, run in
                Marks.line(run.calls.map { ($0.at, Double($0.wasted)) }, run: index, in: frame)
            }.joined()
        }
        return figure([panel], "Wasted upstream calls since the start of the run")
    }

    /// The 95th percentile of the time to first token; all runs in one panel.
    var firstToken: String {
        let target = (runs.first?.settings.sloTTFTMs ?? 0) / 1000
        let values = runs.flatMap { $0.timeline.ttftP95.compactMap { $0 } }
        let panel = Figure.Panel(
            title: "", note: "", scale: .logarithmic(holding: values + [target])
        ) { [runs] frame in
            let lines = runs.enumerated().map { index, run in
                let points = run.timeline.ttftP95.enumerated().map { (Double($0.offset) + 0.5, $0.element) }
                return Marks.line(points, run: index, in: frame)
            }
            return Marks.threshold(target, "target \(Report.number(target)) s", in: frame) + lines.joined()
        }
        return figure([panel], "95th percentile of the time to first token in seconds, logarithmic")
    }

    /// What each run cost: the part that users got, and what was wasted on top of it.
    ///
    /// A drawing has no use for nano-dollars: only here are amounts floating-point numbers.
    func bill(_ bills: [RunBill]) -> String {
        let cents = bills.map { (useful: Self.cents($0.useful), total: Self.cents($0.total)) }
        let panel = Figure.Panel(title: "", note: "", scale: .linear(holding: cents.map(\.total))) { frame in
            cents.enumerated().map { index, cents in
                let (from, to) = (Double(index) + 0.2, Double(index) + 0.8)
                return Marks.bar(from: from, to: to, value: cents.total, style: "bad", in: frame)
                    + Marks.bar(from: from, to: to, value: cents.useful, style: "good", in: frame)
            }.joined()
        }
        return Figure(
            panels: [panel], axis: .names(runs.map(\.settings.label), title: "US cents for the whole run"),
            description: "The cost of each run, split into what users got and what was wasted"
        ).svg
    }

    private static func cents(_ amount: Money) -> Double { Double(amount.nanodollars) / 10_000_000 }

    private func figure(_ panels: [Figure.Panel], _ description: String) -> String {
        let script = runs[0].script
        let steps = script.steps.enumerated().map { index, step in
            Figure.Step(at: step.at, name: step.faults.isEmpty ? "faults cleared" : "faults \(index + 1)")
        }
        return Figure(
            panels: panels, axis: .seconds(seconds, title: "trace time, seconds"),
            window: script.windowStart...max(script.windowStart, script.windowEnd), steps: steps,
            description: description
        ).svg
    }
}
