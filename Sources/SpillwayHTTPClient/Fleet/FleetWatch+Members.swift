#if HTTPClientSupport
internal import Spillway

extension FleetWatch {
    /// A member that is being watched.
    struct Watched {
        let member: Member
        let health: ReplicaHealth?
        let stop: AsyncStream<Never>.Continuation

        /// Whether to watch `other` would be to do the same.
        func serves(_ other: Member, _ health: ReplicaHealth?) -> Bool {
            member.address == other.address && member.model == other.model && member.labels == other.labels
                && self.health === health
        }
    }

    /// The members of the fleet, whoever changes them.
    private struct Own: MemberSource {
        let fleet: Fleet

        func members() async -> [Member] { fleet.members }
    }

    /// Asks for the members until cancelled, and says after each answer whom the fleet has.
    func follow(_ feed: AsyncStream<[Member]>.Continuation) async throws(ConfigurationError) {
        // They are watched even if the source never answers.
        feed.yield(fleet.members)
        let members = try Members(capacity: 256), most = configuration.absences
        try await members.follow(
            source.map { Absences(of: fleet, in: $0, most: most) } ?? Own(fleet: fleet),
            every: configuration.memberInterval, time: time, random: random
        ) { answer in
            if source != nil { take(answer, members.all) }
            feed.yield(fleet.members)
        }
    }

    /// Gives the fleet the members that the source knows.
    private func take(_ answer: Result<MemberChanges, any Error>, _ members: [Member]) {
        do {
            _ = try answer.get()
            let changes = MemberChanges.between(fleet.members, members)
            guard !changes.isEmpty else { return }
            for member in members { try member.validateURL() }
            try fleet.update(members, at: time.now)
            configuration.observe?(.members(changes))
        } catch {
            configuration.observe?(.membersFailed(error))
        }
    }

    /// Has calls told that are to go on elsewhere, until cancelled.
    func handOver() async {
        while !Task.isCancelled {
            fleet.handOver(at: time.now)
            try? await time.sleep(until: time.now.advanced(by: configuration.attention))
        }
    }

    /// Stops the watches of those that are there no more; returns those to begin.
    func change(
        _ watched: inout [String: Watched], to members: [Member]
    ) -> [(Member, ReplicaHealth?, AsyncStream<Never>)] {
        var stopped = watched, begun: [(Member, ReplicaHealth?, AsyncStream<Never>)] = []
        for member in members {
            let health = fleet.health(of: member.name), old = stopped[member.name]
            if let old, old.serves(member, health) {
                stopped[member.name] = nil
                continue
            }
            let (end, stop) = AsyncStream.makeStream(of: Never.self)
            watched[member.name] = Watched(member: member, health: health, stop: stop)
            begun.append((member, health, end))
        }
        let names = Set(members.map(\.name))
        for (name, old) in stopped {
            old.stop.finish()
            if !names.contains(name) { watched[name] = nil }
        }
        return begun
    }
}
#endif
