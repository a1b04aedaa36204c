import ArgumentParser
import Spillway

/// One trace on one fleet by each rule.
struct RoutingStudy: Sendable {
    /// One rule over all seeds.
    struct Row: Sendable {
        let rule: FleetRule
        let results: [RoutingRun.Result]
        /// Seconds to the first token of all seeds, the shortest first.
        let first: [Double]

        init(_ rule: FleetRule, _ results: [RoutingRun.Result]) {
            self.rule = rule
            self.results = results
            first = results.flatMap(\.first).sorted()
        }

        var hitRate: Double { mean(\.hitRate) }
        /// Answers within the goal in a second.
        var goodput: Double { mean(\.goodput) }
        /// The share of answers that are within the goal.
        var good: Double { Double(results.reduce(0) { $0 + $1.good }) / Double(max(1, first.count)) }
        var refused: Int { results.reduce(0) { $0 + $1.refused } }

        private func mean(_ value: (RoutingRun.Result) -> Double) -> Double {
            results.reduce(0) { $0 + value($1) } / Double(max(1, results.count))
        }
    }

    let seeds: Range<UInt64>
    let trace: RoutingTrace
    let settings: RoutingSettings
    /// Requests a second that the fleet serves under round robin when it never has nothing to do.
    let capacity: Double
    let floor: RoutingFloor
    let rows: [Row]

    /// Plays the trace by every rule with every seed.
    static func run(
        _ trace: RoutingTrace, _ settings: RoutingSettings, _ rules: [FleetRule], seeds: Range<UInt64>
    ) async throws -> RoutingStudy {
        let capacity = try RoutingRun.capacity(trace, settings)
        guard capacity > 0 else { throw ValidationError("no engine can take a request of \(trace.name)") }
        let floor = try RoutingFloor(trace, settings)
        // Each rule with each seed by itself, so that one seed keeps all cores busy.
        let jobs = 0..<UInt64(rules.count * seeds.count)
        let results = try await Seeds.map(jobs, "routing") { job in
            try RoutingRun.play(
                trace, settings, rules[Int(job) % rules.count], capacity: capacity,
                seed: seeds.lowerBound + job / UInt64(rules.count))
        }
        let rows = rules.indices.map { index in
            Row(rules[index], stride(from: index, to: results.count, by: rules.count).map { results[$0] })
        }
        return RoutingStudy(
            seeds: seeds, trace: trace, settings: settings, capacity: capacity, floor: floor, rows: rows)
    }

    /// The value below which a share of sorted values lies.
    static func quantile(_ share: Double, of sorted: [Double]) -> Double? {
        sorted.isEmpty ? nil : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
}
