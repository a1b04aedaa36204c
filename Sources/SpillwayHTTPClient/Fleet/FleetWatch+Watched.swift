#if HTTPClientSupport
internal import Spillway

extension FleetWatch {
    /// A member that is being watched.
    struct Watched {
        let member: Member
        let health: ReplicaHealth?
        /// Whether it is wanted no more, and has calls yet.
        let isLeaving: Bool
        /// What ends when the watch is to end.
        let stopped: AsyncStream<Never>
        private let stopper: AsyncStream<Never>.Continuation

        init(_ member: Member, _ health: ReplicaHealth?, isLeaving: Bool = false) {
            self.member = member
            self.health = health
            self.isLeaving = isLeaving
            (stopped, stopper) = AsyncStream.makeStream()
        }

        func stop() { stopper.finish() }

        /// Whether to watch `other` would be to do the same.
        func serves(_ other: Member, _ health: ReplicaHealth?) -> Bool {
            member.address == other.address && member.model == other.model && member.labels == other.labels
                && self.health === health
        }
    }

    /// All that are being watched.
    struct AllWatched {
        /// Those that are wanted, by name.
        fileprivate var wanted: [String: Watched] = [:]
        /// Those that are wanted no more, and have calls yet: their names may be those of new ones.
        fileprivate var leaving: [Watched] = []
    }

    /// Stops the watches of those that are there no more; returns those to begin.
    ///
    /// One that is wanted no more is there until its last call has ended: it may die, and its calls are to go on elsewhere then.
    func change(_ watched: inout AllWatched, to members: [Member]) -> [Watched] {
        var stopped = watched.wanted, begun: [Watched] = []
        watched.wanted = [:]
        for member in members {
            let health = fleet.health(of: member.name), old = stopped[member.name]
            if let old, old.serves(member, health) {
                stopped[member.name] = nil
                watched.wanted[member.name] = old
                continue
            }
            let new = Watched(member, health)
            watched.wanted[member.name] = new
            begun.append(new)
        }
        let wanted = Set(watched.wanted.values.compactMap { $0.health.map(ObjectIdentifier.init) })
        // It gets no new calls, so that it is gone for good once it has none.
        func isLeaving(_ old: Watched) -> Bool {
            old.health.map { $0.streams.running > 0 && !wanted.contains(ObjectIdentifier($0)) } ?? false
        }
        for old in stopped.values {
            old.stop()
            if isLeaving(old) { begun.append(Watched(old.member, old.health, isLeaving: true)) }
        }
        var leaving = begun.filter(\.isLeaving)
        for old in watched.leaving { if isLeaving(old) { leaving.append(old) } else { old.stop() } }
        watched.leaving = leaving
        return begun
    }
}
#endif
