internal import CSpillway
internal import SpillwayCore

// What a board needs, and what else is to be seen of a breaker.
extension BreakerState {
    /// What a board is to tell others at `now`.
    func sighting(at now: Instant) -> (since: Duration, left: Duration)? {
        guarded.withLock { $0.machine.sighting(at: now.nanoseconds) }
    }

    /// Rings when the state changes, from now on; false when another board has its bell here.
    func attach(_ bell: Doorbell) -> Bool {
        guarded.withLock { guarded in
            guard guarded.bell == nil || guarded.bell === bell else { return false }
            guarded.bell = bell
            return true
        }
    }

    /// Opens when enough others say so.
    func follow(_ others: [BreakerSighting], quorum: Int, asked: Instant, at now: Instant) {
        change(at: now) { machine in
            machine.follow(
                others, quorum: quorum, asked: asked.nanoseconds, at: now.nanoseconds, if: { takePlace(at: now) })
        }
    }

    var current: (state: CircuitBreaker.State, configuration: CircuitBreaker.Configuration) {
        guarded.withLock { ($0.machine.state, $0.machine.configuration) }
    }

    func counts(at now: Instant) -> (failures: Int, total: Int) {
        let counts = spw_breaker_counts(words, now.nanoseconds)
        return (Int(counts.failures), Int(counts.total))
    }

    func inFlight(at now: Instant) -> (stuck: Int, total: Int) {
        let counts = spw_inflight_count(&words.pointee.inflight, now.nanoseconds)
        return (Int(counts.overdue), Int(counts.total))
    }
}
