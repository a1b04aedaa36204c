import Spillway

/// How many replicas a fleet should have, by the calls that come for it.
final class Capacity: Sendable {
    let configuration: Configuration.Capacity
    private let demand: DemandForecast
    private let planner: ReplicaPlanner

    /// A forecast of nothing yet.
    init(_ configuration: Configuration.Capacity) throws(ConfigurationError) {
        self.configuration = configuration
        demand = try DemandForecast(configuration.demand)
        planner = try ReplicaPlanner(configuration.plan)
    }

    /// How often to ask for advice, so that what is quiet is known to be quiet: a few times in a bucket.
    var interval: Duration { min(.seconds(15), configuration.demand.bucket / 4) }

    /// A call has come for the fleet.
    func came(at now: Instant) { demand.record(1, at: now) }

    /// How many replicas there should be, of which `running` are there.
    @discardableResult
    func advice(running: Int, at now: Instant) -> ReplicaAdvice {
        demand.record(0, at: now)
        let peak = demand.peak(through: configuration.start, at: now, coverage: configuration.coverage)
        return planner.advice(for: peak, running: running, at: now)
    }
}

extension Upstream {
    /// How many replicas its fleet should have; nil: nobody asks.
    @discardableResult
    func advice(at now: Instant) -> ReplicaAdvice? {
        fleet.flatMap { fleet in capacity?.advice(running: fleet.members.count, at: now) }
    }
}
