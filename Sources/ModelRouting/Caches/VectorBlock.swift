internal import CSpillway
internal import SpillwayCore

/// Some vectors side by side, behind a lock.
final class VectorBlock: @unchecked Sendable {
    private let words = UnsafeMutablePointer<spw_vectors>.allocate(capacity: 1)
    private let lock = Locked(())
    private let capacity: Int
    /// Bytes that it takes.
    let bytes: Int

    /// Nil: there is no memory.
    init?(_ capacity: Int, _ dimension: Int) {
        self.capacity = capacity
        bytes = capacity * (Int(spw_vectors_width(UInt32(dimension))) * 5 + 32)
        words.initialize(to: spw_vectors())
        guard spw_vectors_init(words, UInt32(capacity), UInt32(dimension)) else { return nil }
    }

    deinit {
        spw_vectors_destroy(words)
        words.deallocate()
    }

    func search(
        _ number: UInt32, _ query: borrowing VectorQuery, _ tag: UInt64, after: Int64, _ best: inout spw_nearest
    ) {
        lock.withLock { _ in
            spw_vectors_search(words, number, UInt32(capacity), query.words, tag, after, &best)
        }
    }

    func set(_ slot: Int, _ query: borrowing VectorQuery, _ tag: UInt64, _ now: Int64, _ stamp: UInt64) {
        lock.withLock { _ in spw_vectors_set(words, UInt32(slot), query.words, tag, now, stamp) }
    }

    func clear(_ slot: Int) { lock.withLock { _ in spw_vectors_clear(words, UInt32(slot)) } }

    /// How old an entry is; one from the future, because the clock went back, is new from now on.
    func age(_ slot: Int, at now: Int64) -> Int64 {
        lock.withLock { _ in
            if words.pointee.stored[slot] > now { words.pointee.stored[slot] = now }
            let (age, overflow) = now.subtractingReportingOverflow(words.pointee.stored[slot])
            return overflow ? .max : age
        }
    }
}

/// A vector divided by its length, ready to be compared.
final class VectorQuery: @unchecked Sendable {
    fileprivate let words = UnsafeMutablePointer<spw_query>.allocate(capacity: 1)

    init(_ vector: [Float], dimension: Int) throws(VectorError) {
        words.initialize(to: spw_query())
        guard vector.count == dimension else { throw .dimension(vector.count, expected: dimension) }
        precondition(spw_query_init(words, UInt32(dimension)), "no memory for a vector")
        guard spw_query_set(words, vector, UInt32(dimension)) else {
            if let component = vector.firstIndex(where: { !$0.isFinite }) { throw .notFinite(component: component) }
            throw .zero
        }
    }

    deinit {
        spw_query_destroy(words)
        words.deallocate()
    }

    /// The key of this vector in a context.
    func key(in context: CacheKey) -> CacheKey {
        let floats = UnsafeRawBufferPointer(start: words.pointee.floats, count: Int(words.pointee.width) * 4)
        let before = spw_hash128(low: context.low, high: context.high)
        let hash = spw_hash_part(before, floats.baseAddress, floats.count, 0, context.space)
        return CacheKey(low: hash.low, high: hash.high, space: context.space)
    }
}
