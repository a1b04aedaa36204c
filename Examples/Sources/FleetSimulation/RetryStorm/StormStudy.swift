/// All policies against the same seeds.
struct StormStudy: Sendable {
    /// One policy against all seeds.
    struct Row: Sendable {
        let policy: String
        let goodput: Spread
        let goodputInOutage: Spread
        let goodputOutside: Spread
        let wasted: Spread
        let wastedInOutage: Spread
        let wastedOutside: Spread
        /// How many points of goodput the seed's ceiling is above the policy's.
        let belowCeiling: Spread
        /// By how many percent the policy wastes more than the seed's floor.
        let aboveFloor: Spread
        /// Wasted calls in each tick of the first seed.
        let firstTimeline: [Int]
    }

    let settings: StormSettings
    let seeds: Range<UInt64>
    let rows: [Row]
    /// The goodput of an oracle for each seed.
    let ceiling: Spread
    /// The natural failures that an oracle meets, and those that detection takes.
    let floor: Spread

    /// Plays every policy against every seed.
    static func run(
        _ policies: [any StormPolicy] = StormPolicies.all, settings: StormSettings = .init(), seeds: Range<UInt64>
    ) async throws -> StormStudy {
        let outcomes = try await Seeds.map(seeds, "retry-storm") { seed in
            try ([Oracle()] + policies).map { policy in
                try policy.run(StormFleet(settings.varied(by: seed), seed: seed, dice: SlotDice(seed: seed)))
            }
        }
        let ceilings = outcomes.map { $0[0].goodput }
        let floors = outcomes.map { Double($0[0].wasted + settings.detection) }
        let rows = policies.enumerated().map { index, policy in
            let results = outcomes.map { $0[index + 1] }
            let wasted = results.map { Double($0.wasted) }
            let inOutage = results.map { Double($0.wastedInOutage) }
            return Row(
                policy: policy.name, goodput: Spread(results.map(\.goodput)),
                goodputInOutage: Spread(results.map(\.goodputInOutage)),
                goodputOutside: Spread(results.map(\.goodputOutside)), wasted: Spread(wasted),
                wastedInOutage: Spread(inOutage), wastedOutside: Spread(zip(wasted, inOutage).map { $0 - $1 }),
                belowCeiling: Spread(zip(ceilings, results).map { $0 - $1.goodput }),
                aboveFloor: Spread(zip(floors, wasted).map { 100 * ($1 / $0 - 1) }),
                firstTimeline: results[0].wastedByTick)
        }
        return StormStudy(
            settings: settings, seeds: seeds, rows: rows, ceiling: Spread(ceilings), floor: Spread(floors))
    }
}
