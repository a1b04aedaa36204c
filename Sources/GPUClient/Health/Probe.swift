public import SpillwayCore

/// A look at a replica that is under way, to be told to ``ReplicaHealth/probed(_:_:at:)`` once.
public struct Probe: Sendable, Hashable {
    /// What to ask.
    public enum Kind: String, Sendable, Hashable {
        /// Whether somebody answers, at little cost: liveness.
        case liveness
        /// For one token of a real generation: readiness.
        case generation
    }

    /// What to ask.
    public let kind: Kind
    /// How long the first token may take.
    public let firstToken: Duration
    /// When it is taken as failed, if nothing was told.
    public let until: Instant
    let number: UInt64
}

/// When a replica is to be probed next, and how.
public struct NextProbe: Sendable, Hashable {
    /// What will be asked.
    public let kind: Probe.Kind
    /// When; while a probe is under way, the end of its lease.
    public let at: Instant
}

/// What a probe found.
///
/// Liveness and readiness are apart: whoever answers but makes no token is alive, and gets no calls.
public struct ProbeResult: Sendable, Hashable {
    enum Finding: Hashable {
        case silent
        case alive
        case failed(Outcome.Cause)
        case generated(firstToken: Duration, kvUse: Double?)
    }

    let finding: Finding

    /// Nobody answered: no connection, or no answer at all.
    public static var silent: ProbeResult { ProbeResult(finding: .silent) }

    /// Somebody answered, and no token was asked for.
    public static var alive: ProbeResult { ProbeResult(finding: .alive) }

    /// Somebody answered, but made no token.
    ///
    /// - Parameter cause: `.timeout` for a token that did not come in time. A request or a key that is refused means that it serves
    ///   something else now; of the other causes that do not speak against the target, such as `.rateLimited`, each counts for no
    ///   more than ``alive``.
    public static func failed(_ cause: Outcome.Cause) -> ProbeResult { ProbeResult(finding: .failed(cause)) }

    /// A token came.
    ///
    /// - Parameters:
    ///   - firstToken: How long it took.
    ///   - kvUse: The share of the KV cache that is in use, from 0 to 1; nil, and what is no number: unknown.
    public static func generated(firstToken: Duration, kvUse: Double? = nil) -> ProbeResult {
        ProbeResult(finding: .generated(firstToken: firstToken, kvUse: kvUse))
    }
}
