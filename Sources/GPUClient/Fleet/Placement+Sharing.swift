package import SpillwayCore

extension Placement {
    /// As ``settle(_:usage:at:)``, for whoever holds the placement on and gives it away only later.
    ///
    /// The first end counts.
    package func end(_ outcome: Outcome, usage: Usage?, at now: Instant) {
        state.end(ticket, outcome, usage: usage, at: now)
    }
}
