public import SpillwayCore

/// Recommends how many replicas there should be, from a forecast of demand: more at once, fewer only after a while.
///
/// Give it the peak of the forecast through the time that a replica takes to start, so that those started now are ready in
/// time and none is stopped that would have to be started again:
///
///     planner.advice(for: demand.peak(through: startup, at: now), running: count, at: now)
///
/// Ask every 15 s or so, from any task. It only recommends: whoever starts and stops replicas is yours.
public final class ReplicaPlanner: Sendable {
    fileprivate struct State {
        var plan: ReplicaPlan
        // What was wanted within the window: each later and less than the one before, so never more than there are numbers.
        var wanted: [(time: Instant, replicas: Int)] = []
        var latest = Instant(nanoseconds: .min)
    }

    private let state: Locked<State>

    /// A planner.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ plan: ReplicaPlan) throws(ConfigurationError) {
        try plan.validate()
        state = Locked(State(plan: plan))
    }

    /// Takes over another plan; what was recommended of late still holds.
    ///
    /// - Throws: `ConfigurationError` with the field and its value; the plan stays as it was.
    public func update(_ plan: ReplicaPlan) throws(ConfigurationError) {
        try plan.validate()
        state.withLock { $0.plan = plan }
    }

    /// How many replicas there should be.
    ///
    /// - Parameters:
    ///   - demand: The forecast; nil when there is none: then as many as there are, within the range.
    ///   - running: How many are deployed, those that start included; one below 0 counts as 0.
    ///   - now: The time; one before the last counts as the last.
    public func advice(for demand: DemandForecast.Forecast?, running: Int, at now: Instant) -> ReplicaAdvice {
        let plan = state.withLock { $0.plan }
        func within(_ replicas: Int) -> Int { min(max(replicas, plan.range.lowerBound), plan.range.upperBound) }
        guard let demand else { return plan.advice(within(running), .unknown, nil, needed: nil, spares: nil) }
        // Computed without the lock: with many zones it takes a while.
        let needed = plan.needed(perSecond: demand.upper)
        let spares = plan.sparesNeeded(beside: needed)
        let all = spares.map { needed + $0 } ?? Redundancy.mostReplicas + 1
        let wanted = within(all)
        let highest = state.withLock { $0.highest(with: wanted, at: now) }
        var (replicas, reason) = (wanted, ReplicaAdvice.Reason.demand)
        if all > wanted { reason = .most } else if all < wanted { reason = .fewest }
        if min(running, highest) > wanted {
            (replicas, reason) = (within(min(running, highest)), .stabilizing)
            // The most replicas of which no larger share is idle.
            if let cap = plan.idleCap, plan.idleShare(replicas, perSecond: demand.perSecond) > cap {
                let allowed = (demand.perSecond / plan.perReplica / (1 - cap) * (1 + 1e-12)).rounded(.down)
                (replicas, reason) = (max(wanted, Int(min(allowed, Double(replicas)))), .idleCap)
            }
        }
        return plan.advice(replicas, reason, demand, needed: needed, spares: spares)
    }
}

extension ReplicaPlanner.State {
    /// The most that was wanted within the window that ends now.
    fileprivate mutating func highest(with replicas: Int, at now: Instant) -> Int {
        latest = max(latest, now)
        wanted.removeAll { $0.replicas <= replicas }
        wanted.append((latest, replicas))
        let begin = latest.advanced(by: .zero - plan.stabilization)
        // The first is the highest.
        if let kept = wanted.firstIndex(where: { $0.time > begin || $0.time == latest }) { wanted.removeFirst(kept) }
        return wanted.first?.replicas ?? replicas
    }
}

extension ReplicaPlan {
    fileprivate func advice(
        _ replicas: Int, _ reason: ReplicaAdvice.Reason, _ demand: DemandForecast.Forecast?, needed: Int?, spares: Int?
    ) -> ReplicaAdvice {
        ReplicaAdvice(
            replicas: replicas, reason: reason, needed: needed, spares: spares, demand: demand,
            idleShare: demand.map { idleShare(replicas, perSecond: $0.perSecond) },
            // Checked with the plan.
            nanoDollarsPerHour: price.nanoDollarsPerHour * Int64(replicas))
    }
}
