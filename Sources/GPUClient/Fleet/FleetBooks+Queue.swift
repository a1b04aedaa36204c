internal import SpillwayCore

/// Own calls whose first token has not come, replica by replica, in the order in which they began.
///
/// Of those that do not stream nobody tells the first token, so that how long they wait says nothing.
extension FleetState.Books {
    mutating func enqueue(_ ticket: Int, at place: Int) {
        replicas[place].waiting += 1
        guard tickets[ticket].streams else { return }
        tickets[ticket].older = replicas[place].newest
        if replicas[place].newest >= 0 {
            tickets[replicas[place].newest].newer = ticket
        } else {
            replicas[place].oldest = ticket
        }
        replicas[place].newest = ticket
    }

    mutating func dequeue(_ ticket: Int, at place: Int) {
        replicas[place].waiting -= 1
        guard tickets[ticket].streams else { return }
        let (older, newer) = (tickets[ticket].older, tickets[ticket].newer)
        if older >= 0 { tickets[older].newer = newer } else { replicas[place].oldest = newer }
        if newer >= 0 { tickets[newer].older = older } else { replicas[place].newest = older }
        (tickets[ticket].older, tickets[ticket].newer) = (-1, -1)
    }

    /// How long the oldest of them waits; 0: none does.
    func queueAge(_ replica: ReplicaState, at now: Instant) -> Duration {
        replica.oldest < 0 ? .zero : tickets[replica.oldest].began.duration(to: now)
    }
}
