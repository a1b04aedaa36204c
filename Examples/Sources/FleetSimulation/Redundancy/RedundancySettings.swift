import Spillway

/// A fleet whose replicas fail and recover; the textbook's figures unless said otherwise.
struct RedundancySettings: Sendable, Hashable {
    /// Replicas that must be healthy.
    var needed = 8
    var ticks = 20_000
    /// The probability that a healthy replica fails in a tick.
    var failure = 0.002
    /// The probability that a replica out of rotation is healthy again in a tick.
    var recovery = 0.05
    /// Ticks from a failure until the router knows of it.
    var lag = 3
    /// Requests in each tick.
    var requests = 40
    /// Zones over which the replicas are spread.
    var zones = 1
    /// The probability that a zone fails in a tick; 0 is never.
    var zoneFailure = 0.0
    /// The probability that a failed zone is back in a tick.
    var zoneRecovery = 1.0

    /// The planner for the same fleet, in the long run.
    func plan() throws -> Redundancy {
        try Redundancy(
            needed: needed, availability: try replicaAvailability(), zones: zones,
            zoneAvailability: zoneFailure > 0 ? try availability(up: 1 / zoneFailure, down: 1 / zoneRecovery) : 1)
    }

    /// The share of time for which one replica is healthy: until it is found and until it recovers, it is not.
    func replicaAvailability() throws -> Double { try availability(up: 1 / failure, down: Double(lag) + 1 / recovery) }

    /// A tick counts as a second; only the ratio matters.
    private func availability(up: Double, down: Double) throws -> Double {
        try Redundancy.availability(meanTimeToFailure: .seconds(up), meanTimeToRepair: .seconds(down))
    }
}
