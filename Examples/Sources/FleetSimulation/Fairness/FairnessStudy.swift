import Drawing

/// What tenants get of a fleet that they share, by how calls wait their turn.
struct FairnessStudy: Sendable {
    /// One policy before tenants of which one is greedy.
    struct Row: Sendable {
        let policy: FairnessPolicy
        /// Calls of the modest tenants that were not answered, in percent.
        let lost: Spread
        /// The same of the tenant that lost most.
        let mostLost: Spread
        /// What the greedy one got, in percent of what is left when the others have what they ask for.
        let greedy: Spread
        /// Answers in percent of what the fleet can give.
        let used: Spread
        /// The 99th percentile of the modest tenants' waits, in seconds.
        let wait: Spread
    }

    /// One policy before tenants with long prompts and such with short ones.
    struct Mix: Sendable {
        let policy: FairnessPolicy
        /// Answers a second of each tenant.
        let long: Spread
        let short: Spread
        /// The dominant share of a tenant with long prompts, as a multiple of that of one with short ones.
        let ratio: Spread
        /// Tokens a second of all.
        let tokens: Spread
    }

    let seeds: Range<UInt64>
    let rows: [Row]
    let mixes: [Mix]

    private static let mixPolicies: [FairnessPolicy] = [.fifo, .fair, .dominant]

    /// Runs every policy with every seed.
    static func run(
        seeds: Range<UInt64>, greedy: FairnessSettings = .greedy, mixed: FairnessSettings = .mixed
    ) async throws -> FairnessStudy {
        let runs = try await Seeds.map(seeds, "fairness") { seed in
            let capacity = try FairnessRun.capacity(greedy, seed: seed)
            let rows = try FairnessPolicy.allCases.map {
                try FairnessRun(greedy, $0, capacity: capacity, seed: seed).row(greedy, capacity)
            }
            let mixedCapacity = try FairnessRun.capacity(mixed, seed: seed)
            let mixes = try mixPolicies.map {
                try FairnessRun(mixed, $0, capacity: mixedCapacity, seed: seed).mix(mixed)
            }
            return (rows, mixes)
        }
        let rows = FairnessPolicy.allCases.enumerated().map { index, policy in
            func spread(_ value: (FairnessRun.Row) -> Double) -> Spread { Spread(runs.map { value($0.0[index]) }) }
            return Row(
                policy: policy, lost: spread(\.lost), mostLost: spread(\.mostLost), greedy: spread(\.greedy),
                used: spread(\.used), wait: spread(\.wait))
        }
        let mixes = mixPolicies.enumerated().map { index, policy in
            func spread(_ value: (FairnessRun.Mix) -> Double) -> Spread { Spread(runs.map { value($0.1[index]) }) }
            return Mix(
                policy: policy, long: spread(\.long), short: spread(\.short), ratio: spread(\.ratio),
                tokens: spread(\.tokens))
        }
        return FairnessStudy(seeds: seeds, rows: rows, mixes: mixes)
    }
}

extension FairnessRun {
    /// One run, where the first tenant is greedy.
    struct Row: Sendable {
        let lost, mostLost, greedy, used, wait: Double
    }

    /// One run, where the first half has long prompts.
    struct Mix: Sendable {
        let long, short, ratio, tokens: Double
    }

    func row(_ settings: FairnessSettings, _ capacity: Double) -> Row {
        let modest = tallies.dropFirst()
        let losses = modest.map { 100 * (1 - Double($0.answered) / Double(max(1, $0.asked))) }
        let asked = modest.reduce(0) { $0 + $1.asked }, answered = modest.reduce(0) { $0 + $1.answered }
        let seconds = Double(settings.seconds - settings.warmUp)
        let left = capacity * seconds - Double(asked)
        let waits = modest.flatMap(\.waits).sorted()
        return Row(
            lost: 100 * (1 - Double(answered) / Double(max(1, asked))), mostLost: losses.max() ?? 0,
            greedy: 100 * Double(tallies[0].answered) / left, used: 100 * rate / capacity,
            wait: waits.isEmpty ? 0 : waits[min(waits.count - 1, waits.count * 99 / 100)])
    }

    func mix(_ settings: FairnessSettings) -> Mix {
        let seconds = Double(settings.seconds - settings.warmUp), half = tallies.count / 2
        let long = tallies.prefix(half), short = tallies.dropFirst(half)
        func sum(_ tallies: ArraySlice<Tally>, _ value: (Tally) -> Double) -> Double {
            tallies.reduce(0) { $0 + value($1) } / Double(tallies.count)
        }
        return Mix(
            long: sum(long) { Double($0.answered) } / seconds, short: sum(short) { Double($0.answered) } / seconds,
            ratio: sum(long, \.dominant) / max(1e-9, sum(short, \.dominant)),
            tokens: Double(tallies.reduce(0) { $0 + $1.tokens }) / seconds)
    }
}
