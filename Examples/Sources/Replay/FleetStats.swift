/// What `GET /control/stats` says, as far as Replay needs it.
struct FleetStats: Codable, Sendable, Equatable {
    /// The counts of one phase.
    struct Counts: Codable, Sendable, Equatable {
        /// Generation calls that reached the replicas in this phase.
        let calls: Int
        /// Those of them whose whole answer was written.
        let completed: Int
    }

    /// The counts by the label that was in force when the call came.
    let phases: [String: Counts]

    /// The calls of every phase together.
    var totalCalls: Int { phases.values.reduce(0) { $0 + $1.calls } }
}
