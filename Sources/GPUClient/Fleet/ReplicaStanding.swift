/// What a fleet knows of one replica.
public struct ReplicaStanding: Sendable, Hashable {
    /// The replica.
    public let member: Member
    /// Its health; nil without health checks.
    public let phase: HealthPhase?
    /// Own calls under way.
    public let calls: Int
    /// Own calls whose first token has not come.
    public let waiting: Int
    /// How long the oldest of them waits; zero where none does.
    public let oldestWait: Duration
    /// Tokens that own calls have yet to compute before their first token.
    public let pendingTokens: Int
    /// Tokens of own calls under way, prompts and answers as estimated.
    public let heldTokens: Int
    /// Tokens that it computes in a second, with all that it does beside; nil: not known yet.
    public let tokensPerSecond: Double?
    /// Tokens of one answer that it makes in a second after the first; nil: not known yet.
    public let answerTokensPerSecond: Double?
    /// Beginnings of prompts that it is thought to keep.
    public let knownPrefixes: Int
    /// What the engine said last.
    public let load: EngineLoad
    /// What came of draining it last; nil: it was not, or there are no health checks.
    public let drain: DrainReport?
}
