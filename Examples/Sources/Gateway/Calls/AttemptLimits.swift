/// How long one attempt may take.
struct AttemptLimits: Sendable {
    /// The whole attempt.
    var attempt: Duration = .seconds(90)
    /// From the request to the first content of a stream.
    var firstContent: Duration = .seconds(20)
    /// From one chunk of a stream to the next.
    var idle: Duration = .seconds(10)
}
