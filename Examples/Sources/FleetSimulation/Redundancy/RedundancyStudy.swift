import Spillway

/// What spares are worth: simulated, computed and as published.
struct RedundancyStudy: Sendable {
    /// One fleet over all seeds, beside the planner's answer.
    struct Row: Sendable {
        let zones: Int
        let spares: Int
        let attainment: Spread
        /// Requests that met a healthy replica; nil without requests.
        let availability: Spread?
        /// A(N, k) in percent.
        let computed: Double
        /// The published percentages; nil for other settings.
        let textbook: (availability: Double, attainment: Double)?

        /// Where 95 % of single runs lie, in percent.
        var singleRun: ClosedRange<Double>? {
            attainment.ofSingleRun.map { $0.clamped(to: 0...100) }
        }
        /// Whether the published run could be one of these.
        var holdsTextbook: Bool? {
            guard let textbook, let singleRun else { return nil }
            return singleRun.contains(textbook.attainment)
        }
    }

    /// The smallest number of spares for a target.
    struct Target: Sendable {
        /// In percent.
        let attainment: Double
        let failure: Double
        let computed: Int?
        let rows: [Row]
        /// The smallest that reaches the target in the mean of all runs.
        var simulated: Int? { rows.first { $0.attainment.mean >= attainment }?.spares }
    }

    let options: RedundancyOptions
    let seeds: Range<UInt64>
    let spares: [Row]
    let target: Target
    let zones: [Row]
    let nines: [Redundancy.Nine]

    /// The published run: N = 8, seed 0, k from 0.
    static let textbook: [(availability: Double, attainment: Double)] = [
        (99.379, 66.830), (99.465, 95.295), (99.410, 99.015), (99.395, 99.855), (99.371, 99.970),
    ]
    /// The exercise on the cost of a nine: 20 replicas of 0.995 at 2 dollars an hour.
    static let exercise = (needed: 20, availability: 0.995, nanoDollarsPerHour: Int64(2_000_000_000))

    /// Runs all parts.
    static func run(_ options: RedundancyOptions, seeds: Range<UInt64>) async throws -> RedundancyStudy {
        let fleet = options.settings
        let isTextbook = fleet == RedundancySettings()
        let spares = try await rows(
            "spares", (0...options.spares).map { (fleet, $0) }, seeds: seeds,
            textbook: { isTextbook && $0 < textbook.count ? textbook[$0] : nil })

        var fragile = fleet
        fragile.failure = options.fragile
        fragile.requests = 0
        let enough = try fragile.plan().spares(for: options.target / 100)
        let found = try await rows("target", (0...min(enough ?? 0, 100) + 1).map { (fragile, $0) }, seeds: seeds)

        let spread = options.zones.flatMap { zones in
            stride(from: 0, through: 2 * options.spares, by: 2).map { spares in
                var zoned = fleet
                (zoned.requests, zoned.zones) = (0, zones)
                (zoned.zoneFailure, zoned.zoneRecovery) = (options.zoneFailure, options.zoneRecovery)
                return (zoned, spares)
            }
        }
        let zones = try await rows("zones", spread, seeds: seeds)
        let nines = try Redundancy(needed: exercise.needed, availability: exercise.availability)
            .nines(through: 8, price: ReplicaPrice(nanoDollarsPerHour: exercise.nanoDollarsPerHour))
        return RedundancyStudy(
            options: options, seeds: seeds, spares: spares,
            target: Target(attainment: options.target, failure: options.fragile, computed: enough, rows: found),
            zones: zones, nines: nines)
    }

    /// Simulates each fleet with each seed, and computes it.
    private static func rows(
        _ name: String, _ fleets: [(settings: RedundancySettings, spares: Int)], seeds: Range<UInt64>,
        textbook: (Int) -> (availability: Double, attainment: Double)? = { _ in nil }
    ) async throws -> [Row] {
        let runs = try await Seeds.map(seeds, "redundancy, \(name)") { seed in
            fleets.map { RedundancyRun($0.settings, spares: $0.spares, seed: seed) }
        }
        return try fleets.enumerated().map { index, fleet in
            let served = runs.compactMap { $0[index].availability }
            return Row(
                zones: fleet.settings.zones, spares: fleet.spares,
                attainment: Spread(runs.map { $0[index].attainment }),
                availability: served.isEmpty ? nil : Spread(served),
                computed: 100 * (try fleet.settings.plan().attainment(spares: fleet.spares)),
                textbook: textbook(fleet.spares))
        }
    }
}
