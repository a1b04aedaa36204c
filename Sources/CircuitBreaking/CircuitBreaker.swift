internal import CSpillway
public import SpillwayCore

/// A gate that stops asking a target that fails, and finds out when to ask again.
///
/// Closed, it counts outcomes in a ``Window``; when the share of failures is too high it opens and refuses. Answers that
/// are too slow can count as failures (``Slow``), and calls that do not come back can open it (``Stuck``). After a while it
/// lets a few probes through (half-open): if enough succeed it closes, letting traffic back in little by little, else it
/// opens again for longer. Every permit remembers the generation in which it was given, so that a late result never counts
/// in a later state. The pattern is Nygard's (*Release It!*, 2007).
public final class CircuitBreaker: BuiltInGate {
    private static let pool = StatePool<BreakerState>()

    /// What errors, reports and metrics call the breaker.
    public let name: String
    let breaker: BreakerState
    /// What permits and policies point to.
    public var state: GateState { breaker }

    /// A closed breaker.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: When it opens and closes.
    ///   - group: Other breakers, of which only a share may be open at once; none by default.
    ///   - observer: Told of every change of state, in order and outside of every lock; nobody by default.
    ///   - random: Where the jitter of the open time comes from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), group: BreakerGroup? = nil,
        observer: (any Observer)? = nil,
        random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("CircuitBreaker").name(name)
        try configuration.validate()
        self.name = name
        breaker = Self.pool.take { BreakerState() }
        breaker.begin(name, configuration, observer, random, group)
    }

    deinit {
        breaker.end()
        Self.pool.put(breaker)
    }

    /// Lets a call pass, or says why not.
    ///
    /// - Throws: `Rejection`, with the time after which to ask again where that is known.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try breaker.admit(at: now)
    }

    /// Lets a call pass, or says why not.
    ///
    /// - Throws: `Rejection`, with the time after which to ask again where that is known.
    public func admit(at now: Instant) throws(Rejection) -> Permit {
        try breaker.admit(at: now)
    }

    /// What the breaker is doing.
    ///
    /// An open breaker whose time is over stays `open` until the next call asks.
    public var currentState: State { breaker.current.state }

    /// The configuration in force.
    public var configuration: Configuration { breaker.current.configuration }

    /// Failures and calls in the window at `now`.
    public func counts(at now: Instant) -> (failures: Int, total: Int) {
        breaker.counts(at: now)
    }

    /// Calls that have not come back at `now`, and how many of them are stuck.
    ///
    /// Both are 0 without ``Configuration/stuck``. Only calls that were admitted while closed and since the last change of
    /// state are counted.
    public func inFlight(at now: Instant) -> (stuck: Int, total: Int) {
        breaker.inFlight(at: now)
    }

    /// Changes the configuration and keeps the state.
    ///
    /// A window of another size, kind or threshold starts empty, calls under way are counted anew when the rule for them
    /// is another, and while half-open the probes start over.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        breaker.update(configuration)
    }

    /// Lets the next calls probe without waiting for the open time to end; does nothing unless it is open.
    ///
    /// For news from elsewhere: a health check passed, or another target that failed at the same time came back.
    public func probe(at now: Instant) { breaker.probe(at: now) }

    /// Refuses all calls until ``close(at:)`` or ``disable(at:)``.
    public func isolate(at now: Instant) { breaker.force(.isolated, at: now) }

    /// Closes, with an empty window and no ramp, whatever went before.
    public func close(at now: Instant) { breaker.force(.closed, at: now) }

    /// Lets all calls pass and counts nothing until ``close(at:)`` or ``isolate(at:)``.
    public func disable(at now: Instant) { breaker.force(.disabled, at: now) }
}
