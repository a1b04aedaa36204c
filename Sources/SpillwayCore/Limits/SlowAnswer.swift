/// When a streamed answer that came whole was slower than wanted.
///
/// Nothing is cancelled: the caller has its answer, and gates learn that it was slow (`Outcome.slow`), so that a breaker
/// can keep calls from a target that limps. Set it below the limits of `AttemptTimeout`, which cancel.
public struct SlowAnswer: Sendable, Hashable {
    /// The longest that the first content should take; nil: never mind.
    public let firstContent: Duration?
    /// The fewest tokens a second that should come after it; nil: never mind.
    public let tokensPerSecond: Double?

    /// What counts as slow.
    ///
    /// - Parameters:
    ///   - firstContent: The longest that the first content should take; never mind by default.
    ///   - tokensPerSecond: The fewest tokens a second that should come after it, above 0 and at most a million; never mind by
    ///     default.
    /// - Throws: `ConfigurationError` for a time that is not from 1 ms to 10 years, or a rate out of range.
    public init(firstContent: Duration? = nil, tokensPerSecond: Double? = nil) throws(ConfigurationError) {
        let check = Validation("SlowAnswer")
        if let firstContent { try check.duration(firstContent, "firstContent", atLeast: .milliseconds(1)) }
        if let tokensPerSecond { try check.number(tokensPerSecond, "tokensPerSecond", in: 1e-6...1e6) }
        self.firstContent = firstContent
        self.tokensPerSecond = tokensPerSecond
    }
}
