#if HTTPClientSupport
internal import Spillway

extension FleetWatch {
    /// The members of the fleet, whoever changes them.
    private struct Own: MemberSource {
        let fleet: Fleet

        func members() async -> [Member] { fleet.members }
    }

    /// Asks for the members until cancelled, and says after each answer whom the fleet has.
    func follow(_ feed: AsyncStream<[Member]>.Continuation) async throws(ConfigurationError) {
        // They are watched even if the source never answers.
        feed.yield(fleet.members)
        let members = try Members(capacity: 100_000), most = configuration.absences
        try await members.follow(
            source.map { Absences(of: fleet, in: $0, most: most) } ?? Own(fleet: fleet),
            every: configuration.memberInterval, time: time, random: random
        ) { answer in
            if source != nil { take(answer, members.all) }
            feed.yield(fleet.members)
        }
    }

    /// Gives the fleet the members that the source knows.
    ///
    /// Of more than it takes those that it has, and of the others the first by name: whoever comes must not send away others.
    private func take(_ answer: Result<MemberChanges, any Error>, _ members: [Member]) {
        do {
            _ = try answer.get()
            let before = fleet.members, present = Set(before.map(\.name))
            let inOrder = members.filter { present.contains($0.name) } + members.filter { !present.contains($0.name) }
            let wanted = Array(inOrder.prefix(Fleet.capacity))
            if !MemberChanges.between(before, wanted).isEmpty {
                for member in members { try member.validateURL() }
                try fleet.update(wanted, at: time.now)
                let changes = MemberChanges.between(before, fleet.members)
                if !changes.isEmpty { configuration.observe?(.members(changes)) }
            }
            let names = Set(fleet.members.map(\.name)), others = members.map(\.name).filter { !names.contains($0) }
            let isNews = leftOut.withLock { known in
                defer { known = others }
                return known != others
            }
            if isNews { configuration.observe?(.leftOut(others)) }
        } catch {
            configuration.observe?(.membersFailed(error))
        }
    }

    /// Has calls told that are to go on elsewhere, until cancelled.
    func handOver() async {
        // They neither begin nor end.
        guard fleet.configuration.health != nil else { return }
        while !Task.isCancelled {
            fleet.handOver(at: time.now)
            // A deadline may pass, or a call may say only now that it wants to know.
            let pause = fleet.isInTrouble ? configuration.attention : configuration.memberInterval
            await trouble.wait(until: time.now.advanced(by: pause), time)
        }
    }
}
#endif
