internal import SpillwayCore

/// Which replicas may take a call.
extension FleetState.Books {
    /// Those that may; if there are none, why, and until when.
    struct Open {
        var replicas: ReplicaSet
        var reason = Reason.noTarget
        var until: Instant?
    }

    /// Which may take the call.
    func open(_ ask: FleetState.Ask) -> Open {
        if isAnyAsGood(ask) { return Open(replicas: wanted) }
        let gate = ask.versions ?? ask.session.map { VersionGate($0) }, tokens = ask.tokens
        let isCooling = coolUntil > ask.now
        var cooling = ReplicaSet(), paused = 0, until = Instant.distantFuture
        var wanted = 0, serving = 0, well = 0, candidates = 0, fitting = 0, full = 0, old = 0
        var (ready, degraded) = replicas.withUnsafeBufferPointer { replicas in
            ReplicaSet.two(of: replicas.count) { place in
                let replica = replicas[place]
                if replica.isLeaving { return (false, false) }
                wanted += 1
                let phase = replica.phase
                if replica.isInService(phase) { serving += 1 }
                if phase == .ready { well += 1 }
                // Never earlier than told.
                let isPaused = isCooling && records[place].cooling.told > ask.now
                if isPaused {
                    paused += 1
                    until = min(until, records[place].cooling.told)
                }
                if tokens > replica.window { return (false, false) }
                // When all others have left it would be too large, too.
                if let memory = configuration.memory, replica.isTooSmall(ask.held, memory) { return (false, false) }
                fitting += 1
                if phase != .ready, phase != .degraded || replica.isVetoed { return (false, false) }
                if !ask.avoided.isEmpty, ask.avoided.contains(records[place].member.name) { return (false, false) }
                if let gate, !gate.allows(records[place].member) { return (false, false) }
                if isPaused { return (false, false) }
                let isCold = phase == .ready && isCooling && records[place].cooling.until > ask.now
                // That all who are well are full is no reason to ask the sick.
                if phase == .ready, !isCold { candidates += 1 }
                if let memory = configuration.memory, replica.isFull(ask.held, memory, at: ask.now) {
                    full += 1
                    return (false, false)
                }
                if let age = configuration.queueAge, queueAge(replica, at: ask.now) > age {
                    old += 1
                    return (false, false)
                }
                if isCold { cooling.insert(place) }
                return (phase == .ready && !isCold, phase == .degraded)
            }
        }
        // A poor chance is better than none.
        if isPanic(well: well, of: serving) || candidates == 0 { ready.formUnion(degraded) }
        if candidates == 0 { ready.formUnion(cooling) }
        // Of those that this call alone must not go to nobody else should hear.
        let isPaused = paused == wanted && wanted > 0
        let reason: Reason =
            fitting == 0 && wanted > 0
            ? .windowTooSmall
            : full > 0 ? .memoryFull : old > 0 ? .saturated : isPaused ? .rateLimited : .noTarget
        return Open(replicas: ready, reason: reason, until: reason == .rateLimited ? until : nil)
    }

    /// Whether so few are well that they could not bear the load of all.
    func isPanic(well: Int, of serving: Int) -> Bool { Double(well) < configuration.panic * Double(serving) }

    /// Whether nothing tells replicas apart that the call could be refused for, so that none needs to be looked at.
    private func isAnyAsGood(_ ask: FleetState.Ask) -> Bool {
        configuration.health == nil && configuration.memory == nil && configuration.queueAge == nil
            && ask.session == nil && ask.versions == nil && ask.avoided.isEmpty && ask.tokens <= leastWindow
            && coolUntil <= ask.now
    }

    /// Those of `open` that share no zone with one where the call has failed, if there are any: what failed it may be the zone's.
    func spread(_ open: ReplicaSet, _ ask: FleetState.Ask) -> ReplicaSet {
        guard !ask.avoided.isEmpty else { return open }
        let failed = Set(ask.avoided.compactMap { place(of: $0).map { replicas[$0].zone } }.filter { $0 >= 0 })
        guard !failed.isEmpty else { return open }
        var elsewhere = open
        open.forEach { if failed.contains(replicas[$0].zone) { elsewhere.remove($0) } }
        return elsewhere.isEmpty ? open : elsewhere
    }
}
