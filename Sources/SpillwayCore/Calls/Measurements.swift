/// What was measured of an attempt that has ended, beside its outcome and its time.
///
/// A policy knows it of attempts that stream, or that tell what they use (``Attempt/used(_:)``). Whatever is not known is nil.
public struct Measurements: Sendable, Hashable {
    /// The time from the attempt's begin to its first content.
    public var firstContent: Duration?
    /// Tokens a second from the first content to the end, without the time that the attempt waited for its caller.
    public var tokensPerSecond: Double?
    /// What it really used.
    public var usage: Usage?

    /// Measurements; none by default.
    public init(firstContent: Duration? = nil, tokensPerSecond: Double? = nil, usage: Usage? = nil) {
        self.firstContent = firstContent
        self.tokensPerSecond = tokensPerSecond
        self.usage = usage
    }
}
