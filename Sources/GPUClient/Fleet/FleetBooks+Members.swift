internal import SpillwayCore

extension FleetState.Books {
    /// Whose drain is to begin, and whose to be taken back.
    struct Moves {
        /// With whether somebody had drained them.
        var leaving: [(health: ReplicaHealth, wasDrained: Bool)] = []
        var back: [ReplicaHealth] = []
    }

    /// Makes `members` those that are wanted.
    ///
    /// Newcomers for which there is no place, as long as others have calls that are wanted no more, are left out.
    mutating func update(
        _ members: [Member], _ healths: [String: ReplicaHealth], at now: Instant
    ) throws(ConfigurationError) -> Moves {
        let changes = MemberChanges.between(self.members, members)
        let back = changes.added.compactMap { member in
            replicas.indices.last { replicas[$0].isLeaving && records[$0].member.isSelf(member) }.map { ($0, member) }
        }
        let known = Set(back.map(\.1.name)), newcomers = changes.added.filter { !known.contains($0.name) }
        let places = Set(back.map(\.0)), gone = Set(changes.removed.map(\.name))
        func isTaken(_ place: Int) -> Bool {
            replicas[place].calls > 0 || places.contains(place)
                || !replicas[place].isLeaving && !gone.contains(records[place].member.name)
        }
        let taken = replicas.indices.count(where: isTaken)
        let room = ReplicaSet.capacity - taken, kept = self.members.count - changes.removed.count + back.count
        try Validation("Fleet").require(
            kept + min(room, newcomers.count) > 0, "members", "\(newcomers.count) new ones",
            "fewer while \(taken) that are wanted no more have calls")
        var moves = Moves()
        for member in changes.removed {
            guard let place = place(of: member.name) else { continue }
            replicas[place].isLeaving = true
            if let health = records[place].health {
                records[place].wasDrained = health.streams.isDrained
                moves.leaving.append((health, records[place].wasDrained))
            }
            if replicas[place].calls == 0 { map.forgetAll(at: place) }
        }
        for (place, member) in back {
            replicas[place].isLeaving = false
            replicas[place].lastUsed = max(replicas[place].lastUsed, now)
            records[place].member = member
            replicas[place].set(records[place], configuration)
            if let health = records[place].health, !records[place].wasDrained { moves.back.append(health) }
        }
        for change in changes.changed {
            guard let place = place(of: change.to.name) else { continue }
            records[place].member = change.to
            replicas[place].set(records[place], configuration)
        }
        for member in newcomers.prefix(room) { add(member, healths[member.name], at: now) }
        survey()
        return moves
    }

    private mutating func add(_ member: Member, _ health: ReplicaHealth?, at now: Instant) {
        let record = ReplicaRecord(member, health)
        let state = ReplicaState(record, configuration, at: now)
        if let place = replicas.firstIndex(where: { $0.isLeaving && $0.calls == 0 }) {
            replicas[place] = state
            records[place] = record
        } else {
            replicas.append(state)
            records.append(record)
            cached.append(0)
            matched.append(0)
            map.add()
        }
    }

    /// Sums up what choices ask of all that are wanted.
    private mutating func survey() {
        wanted = ReplicaSet()
        zones = []
        for place in replicas.indices where !replicas[place].isLeaving {
            wanted.insert(place)
            replicas[place].zone = zone(of: records[place].member)
        }
        leastWindow = replicas.indices.filter(wanted.contains).map { replicas[$0].window }.min() ?? .max
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

extension Member {
    /// Whether it is the process that had this name.
    fileprivate func isSelf(_ other: Member) -> Bool { name == other.name && isSame(as: other) }
}
