internal import SpillwayCore

/// Own calls whose first token has not come, replica by replica, in the order in which they began.
extension FleetState.Books {
    mutating func enqueue(_ ticket: Int, at place: Int) {
        tickets[ticket].older = replicas[place].newest
        if replicas[place].newest >= 0 {
            tickets[replicas[place].newest].newer = ticket
        } else {
            replicas[place].oldest = ticket
        }
        replicas[place].newest = ticket
        replicas[place].waiting += 1
    }

    mutating func dequeue(_ ticket: Int, at place: Int) {
        let (older, newer) = (tickets[ticket].older, tickets[ticket].newer)
        if older >= 0 { tickets[older].newer = newer } else { replicas[place].oldest = newer }
        if newer >= 0 { tickets[newer].older = older } else { replicas[place].newest = older }
        (tickets[ticket].older, tickets[ticket].newer) = (-1, -1)
        replicas[place].waiting -= 1
    }

    /// How long the oldest of them waits; 0: none does.
    func queueAge(_ replica: ReplicaState, at now: Instant) -> Duration {
        replica.oldest < 0 ? .zero : tickets[replica.oldest].began.duration(to: now)
    }
}
