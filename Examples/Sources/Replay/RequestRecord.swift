/// One request as the user saw it; all times are in trace seconds.
struct RequestRecord: Sendable, Equatable {
    /// When it was to be sent, from the start of the run.
    let arrival: Double
    /// The sizes of the prompt and of the answer that was asked for; a good answer has that size.
    let tokens: Tokens
    let outcome: Outcome
    /// From the arrival to the first content; nil when none came.
    let firstToken: Double?
    /// From the arrival to the end.
    let total: Double
    /// How late it was sent: large values mean that Replay itself could not keep up.
    let lag: Double
}
