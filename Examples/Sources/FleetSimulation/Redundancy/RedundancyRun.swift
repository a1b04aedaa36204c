/// One run of a fleet with spares, in the order of the textbook's program and with its generator.
struct RedundancyRun: Sendable, Hashable {
    /// Requests that met a healthy replica, in percent of all; nil without requests.
    let availability: Double?
    /// Ticks in which enough replicas were healthy, in percent of all.
    let attainment: Double

    /// Plays all ticks.
    init(_ settings: RedundancySettings, spares: Int, seed: UInt64) {
        var fleet = ReplicaStates(settings, count: settings.needed + spares, seed: seed)
        var (served, enough) = (0, 0)
        for tick in 0..<settings.ticks {
            fleet.advance(to: tick)
            let live = fleet.serving(.healthy)
            // The router still picks those whose failure it has not seen.
            let targets = live + fleet.serving(.bad)
            for _ in 0..<settings.requests {
                if targets > 0, fleet.chance.below(targets) < live { served += 1 }
            }
            if live >= settings.needed { enough += 1 }
        }
        let requests = settings.requests * settings.ticks
        availability = requests > 0 ? 100 * (Double(served) / Double(requests)) : nil
        attainment = 100 * (Double(enough) / Double(settings.ticks))
    }
}
