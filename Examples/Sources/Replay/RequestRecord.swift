/// One request as the user saw it; all times are in trace seconds.
struct RequestRecord: Sendable, Equatable {
    /// When it was to be sent, from the start of the run.
    let arrival: Double
    let outcome: Outcome
    /// From the arrival to the first content; nil when none came.
    let firstToken: Double?
    /// From the arrival to the end.
    let total: Double
    /// How late it was sent: large values mean that Replay itself could not keep up.
    let lag: Double
}
