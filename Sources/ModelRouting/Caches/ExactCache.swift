public import SpillwayCore

/// Answers by request: what was asked before is not asked again.
///
/// ```swift
/// let cache = try ExactCache<Answer>(.init(bytes: 256 << 20, ttl: .seconds(3_600))) { $0.text.utf8.count }
/// let key = CacheKey(model: "large", messages: [("user", question)], for: .tenant("acme"))
/// let answer = try await cache.value(for: key) { try await ask(question) }
/// ```
///
/// What is thrown out to make room is chosen by SIEVE (Zhang et al., NSDI 2024): what is asked for but once leaves soon. To look
/// up is a hash and a lock of some nanoseconds, and allocates nothing. Answers belong to a tenant; see ``CachePartition``.
public final class ExactCache<Value: Sendable>: Sendable {
    /// How much is kept, and for how long.
    public struct Configuration: Sendable, Hashable {
        /// The most bytes, from 1 KiB to 1 TiB: of all answers by what the cache was told of them, and of ``overhead`` for each.
        ///
        /// An answer that is larger is not kept.
        public var bytes: Int
        /// How long an answer is fresh, an hour by default; at least a nanosecond.
        public var ttl: Duration
        /// How much longer it may be given when the call that would replace it fails; not at all by default.
        ///
        /// As `stale-if-error` of RFC 5861.
        public var staleIfError: Duration
        /// Causes for which that is so, beside those that speak against the target: a gate that refused, by default, such as a
        /// breaker that is open.
        public var staleCauses: Outcome.Causes = [.rejected]

        /// So many bytes, for so long.
        public init(bytes: Int, ttl: Duration = .seconds(3_600), staleIfError: Duration = .zero) {
            self.bytes = bytes
            self.ttl = ttl
            self.staleIfError = staleIfError
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("ExactCache")
            try check.count(bytes, "bytes", in: 1_024...(1 << 40))
            try check.duration(ttl, "ttl", atLeast: .nanoseconds(1))
            try check.duration(staleIfError, "staleIfError")
        }
    }

    /// Bytes that each answer takes beside those that are told of it, about 130.
    public static var overhead: Int { ExactNodes<Value>.overhead }

    private let nodes: ExactNodes<Value>
    private let settings: Locked<Configuration>
    private let size: @Sendable (Value) -> Int
    let flights = Flights<Value>()

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - configuration: How much is kept, and for how long.
    ///   - size: How many bytes an answer takes, beside those of `Value` itself: those of its texts and arrays. Below 0 counts
    ///     as 0.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ configuration: Configuration, bytesOf size: @escaping @Sendable (Value) -> Int
    ) throws(ConfigurationError) {
        try configuration.validate()
        guard let nodes = ExactNodes<Value>() else {
            throw ConfigurationError(policy: "ExactCache", field: "bytes", value: "no memory", expected: "some memory")
        }
        self.nodes = nodes
        self.size = size
        settings = Locked(configuration)
        apply(configuration)
    }

    /// The answer to a request; nil: there is none that may be given.
    ///
    /// - Parameters:
    ///   - key: The request.
    ///   - now: The time. Should it go back, answers from the future are new again.
    ///   - allowingStale: Whether one that is too old will do, within ``Configuration/staleIfError``; false by default.
    public func lookup(_ key: CacheKey, at now: Instant, allowingStale: Bool = false) -> CachedAnswer<Value>? {
        nodes.look(key, now.nanoseconds, stale: allowingStale, counts: true)
    }

    /// As ``lookup(_:at:allowingStale:)``, where a miss is not counted, because it was before.
    func lookAgain(_ key: CacheKey, at now: Instant, allowingStale: Bool) -> CachedAnswer<Value>? {
        nodes.look(key, now.nanoseconds, stale: allowingStale, counts: false)
    }

    /// Keeps an answer, in place of an older one, and throws out others to make room.
    ///
    /// - Returns: False when it is larger than the cache; then nothing is kept of this request.
    @discardableResult
    public func store(_ value: Value, for key: CacheKey, at now: Instant) -> Bool {
        // The user's code, before the lock.
        let bytes = max(0, min(size(value), 1 << 41))
        return nodes.store(value, key, bytes: bytes, now.nanoseconds)
    }

    /// Forgets the answer to a request.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public func remove(_ key: CacheKey) -> Bool { nodes.remove(key) }

    /// Forgets all answers of a tenant, or those that were for everybody.
    ///
    /// Looks at every answer, and holds up others for some ten nanoseconds for each.
    ///
    /// - Parameters:
    ///   - partition: Whose.
    ///   - seed: As keys were made with.
    public func removeAll(for partition: CachePartition, seed: UInt64? = nil) {
        nodes.clear(partition.hash(seed ?? CacheKey.processSeed))
    }

    /// Forgets all answers.
    public func removeAll() { nodes.clear(nil) }

    /// What the cache has done and holds.
    public var counts: CacheCounts { nodes.counts }

    /// The configuration in force.
    public var configuration: Configuration { settings.withLock { $0 } }

    /// Changes the configuration; what is kept stays, as far as there is room, and ages by the new times.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration, at now: Instant) throws(ConfigurationError) {
        try configuration.validate()
        settings.withLock { $0 = configuration }
        apply(configuration, at: now)
    }

    private func apply(_ configuration: Configuration, at now: Instant = .zero) {
        let fresh = configuration.ttl.clampedNanoseconds, more = configuration.staleIfError.clampedNanoseconds
        // Ten years each: no overflow.
        nodes.update(limit: configuration.bytes, fresh: fresh, kept: fresh + more, now.nanoseconds)
    }
}
