internal import SpillwayCore

extension FleetState.Books {
    /// The replicas that may take the call.
    func open(
        _ call: Call, _ session: Session?, _ avoided: [String], _ configuration: Fleet.Configuration, at now: Instant
    ) -> ReplicaSet {
        var ready = ReplicaSet(), degraded = ReplicaSet(), wanted = 0, well = 0
        let gate = session.map { VersionGate($0) }
        for (index, replica) in replicas.enumerated() where !replica.isLeaving {
            wanted += 1
            let phase = replica.health?.phase ?? .ready
            if phase == .ready { well += 1 }
            if let window = replica.member.window, call.tokens.total > window { continue }
            if !avoided.isEmpty, avoided.contains(replica.member.name) { continue }
            if let gate, !gate.allows(replica.member) { continue }
            if phase == .ready { ready.insert(index) }
            if phase == .degraded { degraded.insert(index) }
        }
        // Few that are well could not bear the load of all; and a poor chance is better than none.
        if Double(well) < configuration.panic * Double(wanted) || ready.isEmpty { ready.formUnion(degraded) }
        return ready
    }

    /// Makes `members` those that are wanted; returns the health of those that are not any more.
    mutating func update(
        _ members: [Member], _ healths: [String: ReplicaHealth]
    ) throws(ConfigurationError) -> [ReplicaHealth] {
        let old = replicas.filter { !$0.isLeaving }.map(\.member)
        let changes = MemberChanges.between(old, members)
        let places = replicas.indices.filter { !replicas[$0].isLeaving || replicas[$0].calls > 0 }.count
        try Validation("Fleet").count(
            places + changes.added.count, "members and those that are leaving", in: 1...ReplicaSet.capacity)
        var leaving: [ReplicaHealth] = []
        for member in changes.removed {
            guard let place = place(of: member.name) else { continue }
            replicas[place].isLeaving = true
            if let health = replicas[place].health { leaving.append(health) }
            if replicas[place].calls == 0 { map.forgetAll(at: place) }
        }
        for change in changes.changed {
            if let place = place(of: change.to.name) { replicas[place].member = change.to }
        }
        for member in changes.added {
            let state = ReplicaState(member, healths[member.name])
            if let place = replicas.firstIndex(where: { $0.isLeaving && $0.calls == 0 }) {
                replicas[place] = state
            } else {
                replicas.append(state)
                cached.append(0)
                map.add()
            }
        }
        return leaving
    }

    private func place(of name: String) -> Int? {
        replicas.firstIndex { $0.member.name == name && !$0.isLeaving }
    }
}
