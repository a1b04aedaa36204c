internal import SpillwayCore

extension FleetState.Books {
    /// Makes `members` those that are wanted; returns the health of those that are not any more.
    mutating func update(
        _ members: [Member], _ healths: [String: ReplicaHealth], at now: Instant
    ) throws(ConfigurationError) -> [ReplicaHealth] {
        let old = self.members
        let changes = MemberChanges.between(old, members)
        // What has calls keeps its place until they have ended.
        let gone = Set(changes.removed.map(\.name))
        let places = replicas.indices.count {
            replicas[$0].calls > 0 || !replicas[$0].isLeaving && !gone.contains(records[$0].member.name)
        }
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
            replicas[place].set(records[place], configuration)
        }
        for member in changes.added {
            let record = ReplicaRecord(member, healths[member.name])
            let state = ReplicaState(record, configuration, at: now)
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
        wanted = ReplicaSet()
        zones = []
        for place in replicas.indices where !replicas[place].isLeaving {
            wanted.insert(place)
            replicas[place].zone = zone(of: records[place].member)
        }
        leastWindow = replicas.indices.filter(wanted.contains).map { replicas[$0].window }.min() ?? .max
        return leaving
    }

    /// The number of a member's zone; −1: it is in none.
    private mutating func zone(of member: Member) -> Int {
        guard member.zone != nil || member.region != nil else { return -1 }
        let zone = Zone(region: member.region, name: member.zone)
        if let known = zones.firstIndex(of: zone) { return known }
        zones.append(zone)
        return zones.count - 1
    }

    /// A zone of a region.
    struct Zone: Sendable, Hashable {
        let region: String?
        let name: String?
    }

    /// Goes on by another configuration.
    mutating func update(_ configuration: Fleet.Configuration) {
        self.configuration = configuration
        for place in replicas.indices {
            replicas[place].set(records[place], configuration)
        }
    }

    /// Where the replica of that name is that is wanted.
    func place(of name: String) -> Int? {
        records.indices.first { records[$0].member.name == name && !replicas[$0].isLeaving }
    }

    /// Those that are wanted.
    var members: [Member] { records.indices.filter { !replicas[$0].isLeaving }.map { records[$0].member } }
}
