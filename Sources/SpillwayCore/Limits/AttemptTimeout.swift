/// How long one attempt may take, and its answer may be silent or slow.
///
/// An attempt that meets a limit is cancelled and counts as a failure of its target, with the cause `timeout`. Only content
/// counts as a sign of life, not what keeps a connection alive: the operation tells of it with ``Attempt/received(tokens:)``.
/// Time in ``Attempt/pausing(_:)`` is not counted.
public struct AttemptTimeout: Sendable, Hashable {
    /// The longest that the whole attempt may take; nil: as long as the deadline allows.
    public let whole: Duration?
    /// The longest until the first content; nil: never mind.
    ///
    /// Only for calls that stream (`Call.streams`).
    public let firstContent: Duration?
    /// The longest between two pieces of content; nil: never mind.
    ///
    /// Only for calls that stream.
    public let stall: Duration?
    /// The fewest tokens a second, from the first content on; nil: never mind.
    ///
    /// Only for calls that stream, and met only after ``patience``.
    public let tokensPerSecond: Double?
    /// How long a stream may fall behind ``tokensPerSecond``.
    ///
    /// Tokens are paid into a bucket that holds this much time, so that a fast start does not excuse a dribble later.
    public let patience: Duration

    /// Limits of an attempt.
    ///
    /// - Parameters:
    ///   - whole: The longest that the whole attempt may take; no limit by default. It may be longer than a deadline.
    ///   - firstContent: The longest until the first content, and no longer than `whole`; no limit by default.
    ///   - stall: The longest between two pieces of content, and no longer than `whole`; no limit by default.
    ///   - tokensPerSecond: The fewest tokens a second, above 0 and at most a million; no limit by default.
    ///   - patience: How long a stream may fall behind that; 10 s by default. Without `tokensPerSecond` it means nothing.
    /// - Throws: `ConfigurationError` for a time that is not from 1 ms to 10 years, a rate out of range, a limit that `whole`
    ///   would always come before, or no limit at all.
    public init(
        _ whole: Duration? = nil, firstContent: Duration? = nil, stall: Duration? = nil, tokensPerSecond: Double? = nil,
        patience: Duration = .seconds(10)
    ) throws(ConfigurationError) {
        let check = Validation("AttemptTimeout")
        try check.require(
            whole != nil || firstContent != nil || stall != nil || tokensPerSecond != nil, "whole", "nil",
            "given, unless firstContent, stall or tokensPerSecond is: without any it limits nothing")
        for (value, field) in [(whole, "whole"), (firstContent, "firstContent"), (stall, "stall")] {
            guard let value else { continue }
            try check.duration(value, field, atLeast: .milliseconds(1))
            guard let whole else { continue }
            try check.require(value <= whole, field, value, "at most the whole, \(whole), which always comes first")
        }
        if let tokensPerSecond { try check.number(tokensPerSecond, "tokensPerSecond", in: 1e-6...1e6) }
        try check.duration(patience, "patience", atLeast: .milliseconds(1))
        self.whole = whole
        self.firstContent = firstContent
        self.stall = stall
        self.tokensPerSecond = tokensPerSecond
        self.patience = patience
    }
}
