import Spillway

/// What a limit on calls in flight is worth under load: each policy at each load, for each engine.
struct OverloadStudy: Sendable {
    /// One policy over all loads.
    struct Row: Sendable {
        let name: String
        /// Answers within the goal for each load, in percent of what the fleet can serve.
        let goodput: [Spread]
        /// The same in percent of the best fixed limit of the same seed.
        let toBest: [Spread]
    }

    /// All policies with one engine.
    struct Part: Sendable {
        let settings: OverloadSettings
        /// Answers within the goal that the fleet can give in a second.
        let capacity: Double
        let rows: [Row]
        /// The best fixed limit for each load over all seeds.
        let bestFixed: [Int]
        /// How much of the capacity each fixed limit reaches at each load.
        let fixed: [[Double]]
    }

    let seeds: Range<UInt64>
    let parts: [Part]

    /// Plays every policy at every load with every seed.
    static func run(
        _ policies: [OverloadPolicy] = OverloadPolicy.all, settings: [OverloadSettings], seeds: Range<UInt64>
    ) async throws -> OverloadStudy {
        var parts: [Part] = []
        for settings in settings {
            let capacity = try await capacity(settings)
            let runs = try await Seeds.map(seeds, "overload") { seed in
                try settings.loads.map { load in
                    let trace = OverloadTrace(perSecond: load * capacity, settings, seed: seed)
                    func goodput(_ policy: OverloadPolicy) throws -> Double {
                        let good = try OverloadRun.play(policy, trace, settings).good
                        return 100 * Double(good) / settings.measured / capacity
                    }
                    return Outcome(
                        policies: try policies.map(goodput),
                        fixed: try settings.fixed.map { try goodput(.fixed($0)) })
                }
            }
            parts.append(Part(settings, capacity, policies, runs))
        }
        return OverloadStudy(seeds: seeds, parts: parts)
    }

    /// What came of one seed at one load.
    struct Outcome: Sendable {
        let policies: [Double]
        let fixed: [Double]
    }

    /// The most good answers in a second that any fixed limit gives when far more calls come than can be served.
    private static func capacity(_ settings: OverloadSettings) async throws -> Double {
        let trace = OverloadTrace(perSecond: 40 * Double(settings.replicas), settings, seed: 0)
        let places = 0..<UInt64(settings.fixed.count)
        let goods = try await Seeds.map(places, "overload, capacity") { place in
            try OverloadRun.play(.fixed(settings.fixed[Int(place)]), trace, settings).good
        }
        return Double(goods.max() ?? 0) / settings.measured
    }
}

extension OverloadStudy.Part {
    fileprivate init(
        _ settings: OverloadSettings, _ capacity: Double, _ policies: [OverloadPolicy],
        _ runs: [[OverloadStudy.Outcome]]
    ) {
        self.settings = settings
        self.capacity = capacity
        let loads = settings.loads.indices
        func row(_ name: String, _ goodput: (OverloadStudy.Outcome) -> Double) -> OverloadStudy.Row {
            OverloadStudy.Row(
                name: name, goodput: loads.map { load in Spread(runs.map { goodput($0[load]) }) },
                toBest: loads.map { load in
                    Spread(runs.map { 100 * goodput($0[load]) / ($0[load].fixed.max() ?? 1) })
                })
        }
        rows =
            policies.enumerated().map { index, policy in row(policy.name) { $0.policies[index] } }
            + [row("best fixed limit") { $0.fixed.max() ?? 0 }]
        fixed = settings.fixed.indices.map { place in
            loads.map { load in runs.reduce(0) { $0 + $1[load].fixed[place] } / Double(runs.count) }
        }
        bestFixed = loads.map { [fixed] load in
            let best = fixed.indices.max { fixed[$0][load] < fixed[$1][load] } ?? 0
            return settings.fixed[best]
        }
    }
}
