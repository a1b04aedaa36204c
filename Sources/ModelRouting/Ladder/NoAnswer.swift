public import SpillwayCore

/// What an attempt fails with in a tier that has no answer to the call, such as a cache: the call goes further down.
///
/// It speaks against nobody, and the tier is not left for it.
public struct NoAnswer: OutcomeError, Hashable {
    /// No answer.
    public init() {}

    /// Neutral, of the cause `noAnswer`.
    public var outcome: Outcome { .neutral(.noAnswer) }
}
