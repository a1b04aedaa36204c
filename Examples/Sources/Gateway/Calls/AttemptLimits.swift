/// How long one attempt may take.
struct AttemptLimits: Sendable {
    /// The whole attempt.
    var attempt: Duration = .seconds(90)
    /// From the request to the first content of a stream.
    var firstContent: Duration = .seconds(20)
    /// From one content of a stream to the next.
    var stall: Duration = .seconds(10)
    /// The fewest tokens a second of a stream; nil: never mind.
    var tokensPerSecond: Double?
    /// How long a stream may fall behind that.
    var patience: Duration = .seconds(10)
}
