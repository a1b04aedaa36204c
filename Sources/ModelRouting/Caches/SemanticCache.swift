public import SpillwayCore

/// Answers by what was meant: a question that is close enough to one that was asked before gets the same answer.
///
/// ```swift
/// let similar = try SemanticCache<Answer>(.init(dimension: 384))
/// let vector = try await embed(question)  // your model for embeddings
/// if let hit = try similar.lookup(vector, for: .tenant("acme"), context: "large", at: time.now) { return hit.value }
/// ```
///
/// How close two questions are is the cosine of the angle between their vectors. The search is exhaustive: always the closest
/// answer is found, not one that is probably close. It reads a byte for each component, and all of them only of vectors that could
/// be the closest; see `spw_vectors.h` for the proof. It holds a lock for a thousand vectors at a time and no longer.
///
/// Close is not the same: "in 2024" and "in 2025" are close. Whoever needs more than the threshold checks the answer.
/// Answers belong to a tenant; see ``CachePartition``.
public final class SemanticCache<Value: Sendable>: Sendable {
    /// What counts as close, how much is kept, and for how long.
    public struct Configuration: Sendable, Hashable {
        /// Components of each vector, from 1 to 16,384.
        ///
        /// Cannot be updated.
        public var dimension: Int
        /// The most answers, 100,000 by default and at most.
        ///
        /// Takes five bytes for each component of each; memory is taken as answers come. Cannot be updated.
        public var capacity: Int
        /// The least cosine that is close enough, 0.98 by default; from 0 to 0.99999, above which rounding would decide.
        public var threshold: Double
        /// How long an answer may be given, an hour by default; at least a nanosecond.
        public var ttl: Duration

        /// For vectors of so many components.
        public init(
            dimension: Int, capacity: Int = 100_000, threshold: Double = 0.98, ttl: Duration = .seconds(3_600)
        ) {
            self.dimension = dimension
            self.capacity = capacity
            self.threshold = threshold
            self.ttl = ttl
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("SemanticCache")
            try check.count(dimension, "dimension", in: 1...16_384)
            try check.count(capacity, "capacity", in: 1...100_000)
            try check.number(threshold, "threshold", in: 0...0.99999)
            try check.duration(ttl, "ttl", atLeast: .nanoseconds(1))
        }
    }

    private let dimension: Int
    private let settings: Locked<Configuration>
    private let entries: SemanticEntries<Value>

    /// An empty cache.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public convenience init(_ configuration: Configuration) throws(ConfigurationError) {
        // So many that a search holds the lock of a block for some tens of microseconds.
        try self.init(configuration, perBlock: max(64, min(1_024, (1 << 19) / max(1, configuration.dimension))))
    }

    init(_ configuration: Configuration, perBlock: Int) throws(ConfigurationError) {
        try configuration.validate()
        dimension = configuration.dimension
        settings = Locked(configuration)
        entries = SemanticEntries(
            dimension: configuration.dimension, capacity: configuration.capacity,
            perBlock: min(perBlock, configuration.capacity))
    }

    /// The answer whose question was closest, if it was close enough; of several that are as close, one of them.
    ///
    /// - Parameters:
    ///   - vector: That of the question, of any length but 0.
    ///   - partition: Who asks.
    ///   - context: What else must have been the same, such as the model and the instructions before the question; nothing by
    ///     default.
    ///   - now: The time. Should it go back, answers from the future are new again.
    /// - Throws: ``VectorError``.
    public func lookup(
        _ vector: [Float], for partition: CachePartition, context: String = "", at now: Instant
    ) throws(VectorError) -> SimilarAnswer<Value>? {
        let query = try VectorQuery(vector, dimension: dimension)
        let configuration = configuration
        return entries.nearest(
            query, CacheKey(context: context, partition), threshold: Float(configuration.threshold),
            ttl: configuration.ttl.clampedNanoseconds, at: now.nanoseconds)
    }

    /// Keeps the answer to a question, in place of that to the same vector, and throws out another when the cache is full.
    ///
    /// The other is chosen by CLOCK (Corbató 1968): the next in turn that was not given since its last turn, or is too old.
    ///
    /// - Parameters:
    ///   - value: The answer.
    ///   - vector: That of the question, of any length but 0.
    ///   - partition: Who may get it.
    ///   - context: What else must be the same.
    ///   - now: The time.
    /// - Returns: False when there is no memory for it.
    /// - Throws: ``VectorError``; then nothing was kept.
    @discardableResult
    public func store(
        _ value: Value, at vector: [Float], for partition: CachePartition, context: String = "", at now: Instant
    ) throws(VectorError) -> Bool {
        let query = try VectorQuery(vector, dimension: dimension)
        return entries.put(
            value, query, CacheKey(context: context, partition), ttl: configuration.ttl.clampedNanoseconds,
            at: now.nanoseconds)
    }

    /// Forgets all answers of a tenant, or those that were for everybody.
    public func removeAll(for partition: CachePartition) { entries.clear(partition.hash(CacheKey.processSeed)) }

    /// Forgets all answers.
    public func removeAll() { entries.clear(nil) }

    /// What the cache has done and holds; its bytes are those of the vectors.
    public var counts: CacheCounts { entries.counts }

    /// The configuration in force.
    public var configuration: Configuration { settings.withLock { $0 } }

    /// Changes the threshold and the time; what is kept stays.
    ///
    /// - Throws: `ConfigurationError`, also for another dimension or capacity; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        let old = self.configuration, check = Validation("SemanticCache")
        try check.require(
            configuration.dimension == old.dimension, "dimension", configuration.dimension,
            "\(old.dimension), as it was")
        try check.require(
            configuration.capacity == old.capacity, "capacity", configuration.capacity, "\(old.capacity), as it was")
        settings.withLock { $0 = configuration }
    }
}

/// An answer to a question that was close.
public struct SimilarAnswer<Value> {
    /// The answer.
    public let value: Value
    /// The cosine of the angle between the questions: 1 is the same direction.
    public let similarity: Double
    /// How long ago the answer was kept; never negative.
    public let age: Duration
}

extension SimilarAnswer: Sendable where Value: Sendable {}
