internal import SpillwayCore

extension FleetState.Books {
    /// The replicas that may take the call.
    func open(
        _ call: Call, _ session: Session?, _ avoided: [String], _ configuration: Fleet.Configuration, at now: Instant
    ) -> ReplicaSet {
        var wanted = 0, well = 0
        let gate = session.map { VersionGate($0) }, tokens = call.tokens.total
        var (ready, degraded) = replicas.withUnsafeBufferPointer { replicas in
            ReplicaSet.two(of: replicas.count) { index in
                let replica = replicas[index]
                if replica.isLeaving { return (false, false) }
                wanted += 1
                let phase = replica.phase
                if phase == .ready { well += 1 }
                if tokens > replica.window { return (false, false) }
                if !avoided.isEmpty, avoided.contains(records[index].member.name) { return (false, false) }
                if let gate, !gate.allows(records[index].member) { return (false, false) }
                return (phase == .ready, phase == .degraded)
            }
        }
        // Few that are well could not bear the load of all; and a poor chance is better than none.
        if Double(well) < configuration.panic * Double(wanted) || ready.isEmpty { ready.formUnion(degraded) }
        return ready
    }

    /// Makes `members` those that are wanted; returns the health of those that are not any more.
    mutating func update(
        _ members: [Member], _ healths: [String: ReplicaHealth], _ configuration: Fleet.Configuration
    ) throws(ConfigurationError) -> [ReplicaHealth] {
        let old = self.members
        let changes = MemberChanges.between(old, members)
        let places = replicas.indices.filter { !replicas[$0].isLeaving || replicas[$0].calls > 0 }.count
        try Validation("Fleet").count(
            places + changes.added.count, "members and those that are leaving", in: 1...ReplicaSet.capacity)
        var leaving: [ReplicaHealth] = []
        for member in changes.removed {
            guard let place = place(of: member.name) else { continue }
            replicas[place].isLeaving = true
            if let health = records[place].health { leaving.append(health) }
            if replicas[place].calls == 0 { map.forgetAll(at: place) }
        }
        for change in changes.changed {
            guard let place = place(of: change.to.name) else { continue }
            records[place].member = change.to
            replicas[place].set(change.to, configuration)
        }
        for member in changes.added {
            let record = ReplicaRecord(member, healths[member.name])
            let state = ReplicaState(record, seenFrom: configuration)
            if let place = replicas.firstIndex(where: { $0.isLeaving && $0.calls == 0 }) {
                replicas[place] = state
                records[place] = record
            } else {
                replicas.append(state)
                records.append(record)
                cached.append(0)
                map.add()
            }
        }
        return leaving
    }

    /// Where the replica of that name is that is wanted.
    func place(of name: String) -> Int? {
        records.indices.first { records[$0].member.name == name && !replicas[$0].isLeaving }
    }

    /// Those that are wanted.
    var members: [Member] { records.indices.filter { !replicas[$0].isLeaving }.map { records[$0].member } }
}
