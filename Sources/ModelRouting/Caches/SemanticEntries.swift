internal import CSpillway
internal import SpillwayCore

/// The entries of a semantic cache: values and who stands where behind one lock, and vectors in blocks with a lock of their own.
///
/// A search takes one block's lock after the other, and in the end the first lock, to see that what it found is still there. A
/// change takes the first lock and then that of the block. An entry never moves, so a search sees whatever was there all the time.
final class SemanticEntries<Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value?
        /// The vector, with context and partition.
        var key: CacheKey
        /// Context and partition.
        var context: CacheKey
        var stamp: UInt64
        var wasGiven = false
    }

    private struct State {
        var blocks: [VectorBlock] = []
        var entries: ContiguousArray<Entry> = []
        var places: [CacheKey: Int] = [:]
        var free: [Int] = []
        var hand = 0
        var lastStamp: UInt64 = 0
        var counts = CacheCounts()
    }

    private let dimension: Int
    private let capacity: Int
    /// Vectors in a block.
    private let perBlock: Int
    private let state = Locked(State())

    init(dimension: Int, capacity: Int, perBlock: Int) {
        self.dimension = dimension
        self.capacity = capacity
        self.perBlock = perBlock
    }

    // MARK: - Looking up

    func nearest(
        _ query: VectorQuery, _ context: CacheKey, threshold: Float, ttl: Int64, at now: Int64
    ) -> SimilarAnswer<Value>? {
        let (oldest, overflow) = now.subtractingReportingOverflow(ttl)
        // What was found may be thrown out or replaced before it is fetched; then the search begins again, but not for ever.
        for _ in 0..<4 {
            let blocks = state.withLock { $0.blocks }
            var best = spw_nearest(score: threshold, block: 0, slot: 0, is_found: false, stamp: 0)
            for (number, block) in blocks.enumerated() {
                block.search(UInt32(number), query, context.tag, after: overflow ? .min : oldest, &best)
            }
            guard best.is_found else { break }
            let found = state.withLock { state in fetch(best, context, &state, at: now) }
            switch found {
            case .gone: continue
            case .foreign: break
            case .here(let answer): return answer
            }
            break
        }
        state.withLock { $0.counts.misses += 1 }
        return nil
    }

    private enum Found {
        case here(SimilarAnswer<Value>)
        case gone
        /// Of another context, whose tag is the same by chance.
        case foreign
    }

    private func fetch(_ best: spw_nearest, _ context: CacheKey, _ state: inout State, at now: Int64) -> Found {
        let place = Int(best.block) * perBlock + Int(best.slot)
        guard state.entries[place].stamp == best.stamp, let value = state.entries[place].value else { return .gone }
        guard state.entries[place].context == context else { return .foreign }
        state.entries[place].wasGiven = true
        state.counts.hits += 1
        let age = state.blocks[Int(best.block)].age(Int(best.slot), at: now)
        return .here(SimilarAnswer(value: value, similarity: Double(best.score), age: .nanoseconds(age)))
    }

    // MARK: - Changing

    func put(_ value: Value, _ query: VectorQuery, _ context: CacheKey, ttl: Int64, at now: Int64) -> Bool {
        let key = query.key(in: context)
        // What is replaced is let go after the lock: that may run user code.
        let (isKept, _) = state.withLock { state -> (Bool, Value?) in
            var old: Value?
            guard let place = place(for: key, &state, &old, ttl: ttl, at: now) else { return (false, nil) }
            state.lastStamp += 1
            state.entries[place] = Entry(value: value, key: key, context: context, stamp: state.lastStamp)
            state.places[key] = place
            state.blocks[place / perBlock].set(place % perBlock, query, context.tag, now, state.lastStamp)
            state.counts.entries = state.places.count
            return (true, old)
        }
        return isKept
    }

    /// Where an entry goes; nil: there is no memory.
    private func place(
        for key: CacheKey, _ state: inout State, _ old: inout Value?, ttl: Int64, at now: Int64
    ) -> Int? {
        if let place = state.places[key] {
            old = state.entries[place].value
            return place
        }
        if let place = state.free.popLast() { return place }
        if state.entries.count < capacity {
            let place = state.entries.count
            if place / perBlock == state.blocks.count {
                guard let block = VectorBlock(min(perBlock, capacity - place), dimension) else { return nil }
                state.blocks.append(block)
                state.counts.bytes += block.bytes
            }
            state.entries.append(Entry(key: key, context: key, stamp: 0))
            return place
        }
        // CLOCK: a second chance for what was given since the last turn.
        while true {
            let place = state.hand
            state.hand = (place + 1) % capacity
            let age = state.blocks[place / perBlock].age(place % perBlock, at: now)
            if state.entries[place].wasGiven, age < ttl {
                state.entries[place].wasGiven = false
                continue
            }
            old = state.entries[place].value
            state.places[state.entries[place].key] = nil
            state.counts.evicted += 1
            return place
        }
    }

    /// Takes out what belongs to a partition; nil: everything.
    func clear(_ space: UInt64?) {
        _ = state.withLock { state -> [Value?] in
            var old: [Value?] = []
            for place in state.entries.indices {
                guard let value = state.entries[place].value, space == nil || state.entries[place].key.space == space
                else { continue }
                old.append(value)
                state.blocks[place / perBlock].clear(place % perBlock)
                state.places[state.entries[place].key] = nil
                state.entries[place].value = nil
                state.free.append(place)
            }
            state.counts.entries = state.places.count
            return old
        }
    }

    var counts: CacheCounts { state.withLock { $0.counts } }
}

extension CacheKey {
    init(context: String, _ partition: CachePartition) {
        var parts = Parts(for: partition)
        parts.add(context, kind: .context)
        self = parts.key
    }

    /// What a search passes over vectors of others by; never 0.
    fileprivate var tag: UInt64 { max(1, low) }
}
