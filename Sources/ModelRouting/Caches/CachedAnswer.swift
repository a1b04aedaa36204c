/// An answer, and where a cache had it from.
public struct CachedAnswer<Value> {
    /// The answer.
    public let value: Value
    /// Where it comes from.
    public let origin: CacheOrigin
    /// How long ago it was made; never negative.
    public let age: Duration

    init(_ value: Value, _ origin: CacheOrigin, age: Int64 = 0) {
        self.value = value
        self.origin = origin
        self.age = .nanoseconds(age)
    }

    /// Whether a call was saved: to be posted to the ledger as saved, never as spent.
    public var isSaved: Bool { origin != .made }
}

extension CachedAnswer: Sendable where Value: Sendable {}

/// Where an answer comes from.
public enum CacheOrigin: UInt8, Sendable, Hashable, CaseIterable {
    /// It was made for this call.
    case made
    /// It was made for another call of the same request at the same time.
    case joined
    /// It was kept, and is younger than the time for which answers are fresh.
    case fresh
    /// It was kept, and is too old, but nothing better was to be had.
    case stale
}

/// What a cache has done and holds.
public struct CacheCounts: Sendable, Hashable {
    /// Answers that were given while fresh.
    public internal(set) var hits: UInt64 = 0
    /// Questions to which there was no answer that could be given.
    public internal(set) var misses: UInt64 = 0
    /// Answers that were given though too old.
    public internal(set) var stale: UInt64 = 0
    /// Answers that were thrown out to make room.
    public internal(set) var evicted: UInt64 = 0
    /// Answers that are there, also those that are too old.
    public internal(set) var entries = 0
    /// Bytes that they take.
    public internal(set) var bytes = 0
}
