private import CSpillway
internal import SpillwayCore

/// What a request is known by in a cache: XXH3 (128 bits) of its tenant and all that the answer depends on.
///
/// Requests that differ in a byte have different keys, but with a probability of 10⁻²⁶ for a million million of them. Keys
/// mean something in one process: they come from a random seed, so that nobody can make up two requests with one key.
public struct CacheKey: Sendable, Hashable {
    /// The seed of this process.
    static let processSeed = RandomSource.system.next()

    let low: UInt64
    let high: UInt64
    /// The hash of the partition alone.
    let space: UInt64

    /// The key of a request as it is, such as its body on the wire.
    ///
    /// - Parameters:
    ///   - request: Its bytes. Two that mean the same but are written otherwise have different keys.
    ///   - partition: Who may get the answer.
    ///   - seed: Where keys come from; by default random for each process.
    public init(_ request: UnsafeRawBufferPointer, for partition: CachePartition, seed: UInt64? = nil) {
        var parts = Parts(for: partition, seed: seed)
        parts.add(request)
        self = parts.key
    }

    /// The key of a request as it is, in an array.
    public init(_ request: [UInt8], for partition: CachePartition, seed: UInt64? = nil) {
        self = request.withUnsafeBytes { CacheKey($0, for: partition, seed: seed) }
    }

    /// The key of a request that is a text.
    public init(_ request: String, for partition: CachePartition, seed: UInt64? = nil) {
        self = request.withBytes { CacheKey($0, for: partition, seed: seed) }
    }

    /// The key of a call to a model.
    ///
    /// - Parameters:
    ///   - model: Which one.
    ///   - parameters: What else changes the answer, by name: temperature, tools, the format. Their order does not matter.
    ///   - messages: Roles and texts, in order.
    ///   - partition: Who may get the answer.
    ///   - seed: Where keys come from; by default random for each process.
    public init(
        model: String, parameters: [String: String] = [:], messages: [(role: String, text: String)],
        for partition: CachePartition, seed: UInt64? = nil
    ) {
        var parts = Parts(for: partition, seed: seed)
        parts.add(model, kind: .model)
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            parts.add(name, kind: .name)
            parts.add(value, kind: .value)
        }
        for message in messages {
            parts.add(message.role, kind: .role)
            parts.add(message.text, kind: .text)
        }
        self = parts.key
    }

    init(low: UInt64, high: UInt64, space: UInt64) {
        (self.low, self.high, self.space) = (low, high, space)
    }

    /// Puts a key together from parts in order, without copying them.
    ///
    /// Where one part ends and the next begins counts: "ab" and "c" are not "a" and "bc".
    public struct Parts: Sendable {
        enum Kind: UInt64 {
            case partition, bytes, model, name, value, role, text, context
        }

        private var hash = spw_hash128()
        private let space: UInt64
        private let seed: UInt64

        /// No parts yet.
        ///
        /// - Parameters:
        ///   - partition: Who may get the answer.
        ///   - seed: Where keys come from; by default random for each process.
        public init(for partition: CachePartition, seed: UInt64? = nil) {
            self.seed = seed ?? CacheKey.processSeed
            space = partition.hash(self.seed)
            switch partition {
            case .shared: add(UnsafeRawBufferPointer(start: nil, count: 0), .partition, 1)
            case .tenant(nil): add(UnsafeRawBufferPointer(start: nil, count: 0), .partition, 2)
            case .tenant(let name?): add(name, kind: .partition)
            }
        }

        /// Adds a part.
        public mutating func add(_ part: UnsafeRawBufferPointer) { add(part, .bytes) }

        /// Adds a part that is a text.
        public mutating func add(_ part: String) { add(part, kind: .bytes) }

        mutating func add(_ part: String, kind: Kind) {
            // Not captured, which some builds would allocate for.
            hash = part.withBytes { [hash, seed] in spw_hash_part(hash, $0.baseAddress, $0.count, kind.rawValue, seed) }
        }

        private mutating func add(_ part: UnsafeRawBufferPointer, _ kind: Kind, _ variant: UInt64 = 0) {
            hash = spw_hash_part(hash, part.baseAddress, part.count, kind.rawValue | variant << 8, seed)
        }

        /// The key of the parts so far.
        public var key: CacheKey { CacheKey(low: hash.low, high: hash.high, space: space) }
    }
}
