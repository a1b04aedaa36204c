internal import CSpillway
public import SpillwayCore

/// A gate that lets so many calls be in flight at once: a fixed number, or one that it finds itself.
///
/// To take a place is one load and one compare-and-swap, to give it back one more; there are never more calls in flight than
/// the limit, whatever the callers do at once. An adaptive limit learns from the calls that end, by a ``Rule``: from windows
/// in which the limit did not change, of calls that were admitted under it. It never grows while it is not in use.
///
/// A success teaches; a failure teaches when it speaks of missing capacity (`overloaded`, `timeout`); a neutral outcome, a
/// permit that is voided or dropped, and every other failure give the place back and teach nothing.
public final class ConcurrencyLimit: BuiltInGate {
    private static let pool = StatePool<ConcurrencyState>()

    /// What errors, reports and metrics call the limit.
    public let name: String
    private let places: ConcurrencyState
    /// What permits and policies point to.
    public var state: GateState { places }

    /// A limit with no calls in flight.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: The limit, or how to find it.
    ///   - observer: Told of what a limit in shadow mode would have refused; nobody by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration, observer: (any Observer)? = nil
    ) throws(ConfigurationError) {
        try Validation("ConcurrencyLimit").name(name)
        try configuration.validate()
        self.name = name
        places = Self.pool.take { ConcurrencyState() }
        places.begin(name, configuration, observer) { Self.pool.put($0) }
    }

    deinit { places.end() }

    /// Takes a place, or refuses with `concurrencyLimited`.
    ///
    /// Settling the permit, in whatever way, gives the place back.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try places.admit(call, at: now)
    }

    /// How many calls may be in flight.
    public var limit: Int { places.limit }

    /// How many calls are in flight.
    public var inFlight: Int { places.inFlight }

    /// The share of the limit that is in use; above 1 while calls are in flight that a higher limit let in.
    public var utilization: Double { Double(inFlight) / Double(limit) }

    /// The configuration in force.
    public var configuration: Configuration { places.configuration }

    /// Changes the configuration; calls in flight keep their places.
    ///
    /// A limit below what is in flight refuses until enough calls have ended. An adaptive limit keeps what it has learnt, and
    /// goes on from where it is as far as the range allows, unless the rule is another.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration, at now: Instant) throws(ConfigurationError) {
        try configuration.validate()
        places.update(configuration, at: now)
    }
}
