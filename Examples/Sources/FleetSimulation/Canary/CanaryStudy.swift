import Spillway

/// How often a new model is rolled back for nothing, and how soon when it is worse.
struct CanaryStudy: Sendable {
    /// All seeds of one kind of traffic.
    struct Row: Sendable {
        let traffic: CanaryTraffic
        let seeds: Int
        /// Calls of the new one until it was rolled back, in the seeds in which it was, the fewest first.
        let found: [Int]
        /// Seeds by what the new one was found out by.
        let metrics: [Rollout.Metric: Int]
        /// Seeds in which the t-test that is looked at again and again raised the alarm.
        let peeked: Int

        init(_ traffic: CanaryTraffic, _ trials: [CanaryTrial]) {
            self.traffic = traffic
            seeds = trials.count
            found = trials.compactMap(\.found).sorted()
            metrics = trials.compactMap(\.metric).reduce(into: [:]) { $0[$1, default: 0] += 1 }
            peeked = trials.count { $0.peeked != nil }
        }

        /// Seeds with a rollback, in percent.
        var rolledBack: Double { 100 * Double(found.count) / Double(seeds) }

        /// Calls of the new one within which it was rolled back in the share `quantile` of all seeds; nil: in fewer.
        func calls(_ quantile: Double) -> Int? {
            let place = Int((quantile * Double(seeds)).rounded(.up)) - 1
            return found.indices.contains(place) ? found[place] : nil
        }

        /// What it was found out by most often.
        var usual: String {
            let most = Rollout.Metric.allCases.max { metrics[$0, default: 0] < metrics[$1, default: 0] }
            return found.isEmpty ? "–" : most.map { "\($0)" } ?? "–"
        }
    }

    let seeds: Range<UInt64>
    let share: Double
    /// Calls of the new one in a seed in which it is not worse.
    let calls: Int
    let harmless: [Row]
    let confounded: [Row]
    let harmful: [Row]

    /// The most calls of the new one until it has to be found out.
    static let patience = 6_000

    /// Runs every kind of traffic with every seed.
    static func run(
        seeds: Range<UInt64>, share: Double = 0.05, calls: Int = 1_000,
        harmless: [CanaryTraffic] = CanaryTraffic.harmless, confounded: [CanaryTraffic] = CanaryTraffic.confounded,
        harmful: [CanaryTraffic] = CanaryTraffic.harmful
    ) async throws -> CanaryStudy {
        func rows(_ kinds: [CanaryTraffic], _ calls: Int) async throws -> [Row] {
            var rows: [Row] = []
            for traffic in kinds {
                let trials = try await Seeds.map(seeds, "canary, \(traffic.name)") { seed in
                    try CanaryTrial(traffic, share: share, canaries: calls, seed: seed)
                }
                rows.append(Row(traffic, trials))
            }
            return rows
        }
        return CanaryStudy(
            seeds: seeds, share: share, calls: calls, harmless: try await rows(harmless, calls),
            confounded: try await rows(confounded, calls), harmful: try await rows(harmful, patience))
    }
}
