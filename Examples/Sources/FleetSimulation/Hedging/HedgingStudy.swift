/// What hedging is worth: each policy against each service, and the textbook's exercise.
struct HedgingStudy: Sendable {
    /// One policy against one service, over all seeds.
    struct Row: Sendable {
        let policy: HedgingPolicy
        let hedged: Spread
        let median: Spread
        let tail: Spread
        let lost: Spread
        let work: Spread
    }

    /// All policies against one service.
    struct Part: Sendable {
        let service: SlowService
        /// The shortest tail of all policies within the budget.
        let best: BestTail
        let rows: [Row]
    }

    let settings: HedgingSettings
    let seeds: Range<UInt64>
    let parts: [Part]
    let waits: WaitStudy

    /// Runs every policy against every service with every seed.
    static func run(
        _ policies: [HedgingPolicy] = HedgingPolicy.allCases, _ services: [SlowService] = SlowService.all,
        settings: HedgingSettings = .init(), storm: StormSettings = .init(), seeds: Range<UInt64>
    ) async throws -> HedgingStudy {
        let runs = try await Seeds.map(seeds, "hedging") { seed in
            try services.map { service in
                let trace = HedgingTrace(service, settings, seed: seed)
                return try policies.map { try HedgingRun(trace, $0, settings) }
            }
        }
        let parts = services.enumerated().map { place, service in
            Part(
                service: service,
                best: BestTail(of: service, quantile: settings.quantile, hedging: settings.share),
                rows: policies.enumerated().map { index, policy in
                    func spread(_ value: (HedgingRun) -> Double) -> Spread {
                        Spread(runs.map { value($0[place][index]) })
                    }
                    return Row(
                        policy: policy, hedged: spread(\.hedged), median: spread(\.median), tail: spread(\.tail),
                        lost: spread(\.lost), work: spread(\.work))
                })
        }
        return HedgingStudy(
            settings: settings, seeds: seeds, parts: parts,
            waits: try await WaitStudy.run(storm, seeds: seeds))
    }
}
