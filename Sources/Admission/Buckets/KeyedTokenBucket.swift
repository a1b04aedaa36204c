internal import CSpillway
public import SpillwayCore

/// A gate with a token bucket for every key, such as a tenant, in memory that is allocated once.
///
/// A key needs a place only while its bucket is not full: then its place is free for another. Keys that are in use take one
/// compare-and-swap and no lock. Memory is 16 bytes × the next power of two of twice ``Configuration/keys``: 32 MiB for a
/// million keys, of which the system lends only what is touched. When the places for a key are all in use it is refused
/// with `tooManyKeys`; no key is ever forgotten while it owes, so no limit is exceeded.
///
/// Keys are told apart by a 64-bit XXH3 hash with a random seed: among a million keys, two share a bucket with a
/// probability of 3 in 100 million.
public final class KeyedTokenBucket: BuiltInGate {
    /// How fast each key's bucket fills, and how many keys there can be.
    public struct Configuration: Sendable, Hashable {
        /// How fast each bucket fills.
        public var rate: Rate
        /// The most units that each holds, at least 1.
        public var burst: UInt32
        /// What is counted; calls by default.
        public var unit: Unit = .calls
        /// How many keys can be in use at once, from 1 to 2³²; a million by default.
        ///
        /// Cannot be updated.
        public var keys = 1_000_000
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow = false

        /// Buckets that fill at `rate` and hold `burst` units each, for `keys` keys.
        public init(
            rate: Rate, burst: UInt32, unit: Unit = .calls, keys: Int = 1_000_000, shadow: Bool = false
        ) {
            self.rate = rate
            self.burst = burst
            self.unit = unit
            self.keys = keys
            self.shadow = shadow
        }

        func interval() throws(ConfigurationError) -> Int64 {
            try Validation("KeyedTokenBucket").count(keys, "keys", in: 1...(1 << 32))
            return try rate.interval(burst: burst, "KeyedTokenBucket")
        }
    }

    private static let pool = StatePool<KeyedState>()

    /// What errors, reports and metrics call the buckets.
    public let name: String
    private let table: KeyedState
    /// What permits and policies point to.
    public var state: GateState { table }

    /// Buckets that are all full.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: Rate, burst, unit and the number of keys.
    ///   - observer: Told of what buckets in shadow mode would have refused; nobody by default.
    /// - Throws: `ConfigurationError` with the field and its value, also when there is no memory for so many keys.
    public init(
        _ name: String, _ configuration: Configuration, observer: (any Observer)? = nil
    ) throws(ConfigurationError) {
        try Validation("KeyedTokenBucket").name(name)
        let interval = try configuration.interval()
        self.name = name
        table = Self.pool.take { KeyedState() }
        // Should this throw, every property is set, so `deinit` runs and puts the state back.
        try table.begin(name, configuration, interval, observer)
    }

    deinit {
        table.end()
        Self.pool.put(table)
    }

    /// Takes what the call costs from the bucket of `call.key`, or refuses.
    ///
    /// Calls without a key share one bucket.
    ///
    /// Voiding the permit gives the units back unless another call of the key has passed since. Buckets that count tokens
    /// give back in the same way what a call was settled with less than it took, and take what it used beyond, whether it is
    /// there or not.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try table.admit(call, at: now)
    }

    /// Takes `cost` units from the bucket of `key`, or refuses and says when to come back.
    ///
    /// A cost of 0 always passes.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ key: String, cost: UInt32 = 1, at now: Instant) throws(Rejection) -> Permit {
        try table.take(table.hash(key), cost, at: now)
    }

    /// Takes `cost` units from the bucket of an integer key.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ key: UInt64, cost: UInt32 = 1, at now: Instant) throws(Rejection) -> Permit {
        try table.take(table.hash(key), cost, at: now)
    }

    /// How many keys have a bucket that is not full.
    ///
    /// Reads the whole table; for reports.
    public func activeKeys(at now: Instant) -> Int { table.active(at: now) }

    /// Bytes of the table.
    public var memory: Int { table.memory }

    /// Changes rate, burst and unit.
    ///
    /// What a key owes keeps its length in time.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays. The number of keys cannot change.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try table.update(configuration)
    }
}
