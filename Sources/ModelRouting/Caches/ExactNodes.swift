private import CSpillway

/// The memory of an exact cache: plain nodes that `spw_cache.h` links, with a value behind each.
///
/// Values are copied under the lock, which counts references and runs no user code. They are let go after it: that may.
final class ExactNodes<Value: Sendable>: @unchecked Sendable {
    private let cache = UnsafeMutablePointer<spw_cache>.allocate(capacity: 1)

    /// Where the value lies behind a node.
    private static var offset: Int { aligned(MemoryLayout<spw_cache_node>.size, MemoryLayout<Value>.alignment) }
    private static var alignment: Int { max(MemoryLayout<spw_cache_node>.alignment, MemoryLayout<Value>.alignment) }

    /// A node, its value, what the allocator keeps beside it, and its share of the index.
    static var overhead: Int { aligned(offset + MemoryLayout<Value>.size + 8, 16) + Int(SPW_CACHE_INDEX) }

    private static func aligned(_ size: Int, _ alignment: Int) -> Int { (size + alignment - 1) / alignment * alignment }

    /// Nil: there is no memory.
    init?() {
        cache.initialize(to: spw_cache())
        guard spw_cache_init(cache, 0, 0, 0) else { return nil }
    }

    deinit {
        free(spw_cache_clear(cache, 0, true))
        spw_cache_destroy(cache)
        cache.deallocate()
    }

    func look(_ key: CacheKey, _ now: Int64, stale: Bool, counts: Bool) -> CachedAnswer<Value>? {
        spw_cache_acquire(cache)
        let answer = spw_cache_look(cache, key.words, now, stale, counts)
        guard let node = answer.node else {
            spw_cache_release(cache)
            free(answer.dead)
            return nil
        }
        let value = Self.value(of: node).pointee
        spw_cache_release(cache)
        return CachedAnswer(value, answer.is_fresh ? .fresh : .stale, age: answer.age)
    }

    func store(_ value: Value, _ key: CacheKey, bytes: Int, _ now: Int64) -> Bool {
        let node = make(value, key, bytes, now)
        spw_cache_acquire(cache)
        var dead = spw_cache_find(cache, key.words)
        if let dead { spw_cache_remove(cache, dead) }
        let fits = node.pointee.bytes <= cache.pointee.limit
        if fits {
            dead = spw_cache_trim(cache, node.pointee.bytes, now, dead)
            spw_cache_insert(cache, node)
        }
        spw_cache_release(cache)
        free(dead)
        if !fits { free(node) }
        return fits
    }

    func remove(_ key: CacheKey) -> Bool {
        spw_cache_acquire(cache)
        let node = spw_cache_find(cache, key.words)
        if let node { spw_cache_remove(cache, node) }
        spw_cache_release(cache)
        free(node)
        return node != nil
    }

    /// Takes out what belongs to a space; nil: everything.
    func clear(_ space: UInt64?) {
        spw_cache_acquire(cache)
        let dead = spw_cache_clear(cache, space ?? 0, space == nil)
        spw_cache_release(cache)
        free(dead)
    }

    func update(limit: Int, fresh: Int64, kept: Int64, _ now: Int64) {
        spw_cache_acquire(cache)
        cache.pointee.limit = UInt64(limit)
        cache.pointee.fresh = fresh
        cache.pointee.kept = kept
        let dead = spw_cache_trim(cache, 0, now, nil)
        spw_cache_release(cache)
        free(dead)
    }

    var counts: CacheCounts {
        spw_cache_acquire(cache)
        let words = cache.pointee
        spw_cache_release(cache)
        return CacheCounts(
            hits: words.counts.hits, misses: words.counts.misses, stale: words.counts.stale,
            evicted: words.counts.evicted, entries: Int(words.count), bytes: Int(words.bytes))
    }

    // MARK: - Nodes

    private static func value(of node: UnsafeMutablePointer<spw_cache_node>) -> UnsafeMutablePointer<Value> {
        (UnsafeMutableRawPointer(node) + offset).assumingMemoryBound(to: Value.self)
    }

    private func make(
        _ value: Value, _ key: CacheKey, _ bytes: Int, _ now: Int64
    ) -> UnsafeMutablePointer<spw_cache_node> {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: Self.offset + MemoryLayout<Value>.size, alignment: Self.alignment)
        let node = memory.bindMemory(to: spw_cache_node.self, capacity: 1)
        node.initialize(
            to: spw_cache_node(
                key: key.words, stored: now, bytes: UInt64(bytes + Self.overhead), chain: nil, newer: nil, older: nil,
                visited: 0))
        (memory + Self.offset).bindMemory(to: Value.self, capacity: 1).initialize(to: value)
        return node
    }

    /// Frees nodes that were taken out, and lets their values go.
    private func free(_ dead: UnsafeMutablePointer<spw_cache_node>?) {
        var dead = dead
        while let node = dead {
            dead = node.pointee.chain
            Self.value(of: node).deinitialize(count: 1)
            UnsafeMutableRawPointer(node).deallocate()
        }
    }
}

extension CacheKey {
    fileprivate var words: spw_cache_key { spw_cache_key(low: low, high: high, space: space) }
}
