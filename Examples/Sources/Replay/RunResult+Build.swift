extension RunResult {
    /// A raw reading of the fleet's call counter.
    struct Reading: Sendable, Equatable {
        /// Trace seconds from the start of the run.
        let at: Double
        /// Calls since the start of the run.
        let calls: Int
    }

    /// Sums a run up.
    ///
    /// - Parameters:
    ///   - records: one for each request, in any order.
    ///   - readings: the call counter over time, in order.
    ///   - stats: the fleet's counts at the end.
    init(
        settings: Settings, script: FaultScript, records: [RequestRecord], readings: [Reading], stats: FleetStats
    ) {
        let byPhase = Dictionary(grouping: records) { script.phase(at: $0.arrival) }
        let pairs = Phase.allCases.map { phase in
            let calls = stats.phases[phase.rawValue]?.calls ?? 0
            return (phase, Summary(of: byPhase[phase] ?? [], upstreamCalls: calls, sloTTFTMs: settings.sloTTFTMs))
        }
        self.init(
            settings: settings,
            script: script,
            phases: Dictionary(uniqueKeysWithValues: pairs),
            total: Summary(of: records, upstreamCalls: stats.totalCalls, sloTTFTMs: settings.sloTTFTMs),
            timeline: Timeline(of: records),
            calls: readings.map { reading in
                let good = records.count { $0.outcome == .good && $0.arrival < reading.at }
                return CallSample(
                    at: reading.at, calls: reading.calls, good: good, wasted: max(0, reading.calls - good))
            },
            maxSendLag: records.map(\.lag).max() ?? 0,
            work: Work(of: records, stats: stats)
        )
    }
}

extension RunResult.Summary {
    /// Counts the records of one phase.
    init(of records: [RequestRecord], upstreamCalls: Int, sloTTFTMs: Double) {
        let good = records.filter { $0.outcome == .good }
        var errors: [String: Int] = [:]
        for case .failed(let kind) in records.map(\.outcome) { errors[kind, default: 0] += 1 }
        let times = good.compactMap(\.firstToken)
        self.init(
            requests: records.count,
            good: good.count,
            truncated: records.count { $0.outcome == .truncated },
            withinSLO: times.count { $0 * 1000 <= sloTTFTMs },
            errors: errors,
            ttft: Percentiles(of: times),
            upstreamCalls: upstreamCalls
        )
    }
}

extension RunResult.Timeline {
    /// Sorts the records into seconds.
    init(of records: [RequestRecord]) {
        let seconds = records.map { Int($0.arrival) }
        let length = (seconds.max() ?? -1) + 1
        var arrivals = [Int](repeating: 0, count: length)
        var good = arrivals
        var times = [[Double]](repeating: [], count: length)
        for (record, second) in zip(records, seconds) {
            arrivals[second] += 1
            guard record.outcome == .good else { continue }
            good[second] += 1
            if let firstToken = record.firstToken { times[second].append(firstToken) }
        }
        let percentiles = times.indices.map { second in
            Percentiles(of: times[max(0, second - Self.window + 1)...second].flatMap { $0 })
        }
        self.init(
            arrivals: arrivals,
            good: good,
            failed: zip(arrivals, good).map { $0 - $1 },
            ttftP50: percentiles.map(\.p50),
            ttftP95: percentiles.map(\.p95)
        )
    }
}
