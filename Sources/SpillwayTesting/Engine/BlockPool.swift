/// The KV blocks of one engine: counted references, and the blocks that nobody holds kept by hash until they are needed.
///
/// A block is held (one reference or more), idle (no reference, but cached under a hash) or free. Idle blocks are
/// forgotten in the order in which they were let go, as in vLLM.
struct BlockPool: Sendable {
    private struct Block {
        var references = 0
        var hash: UInt64?
        /// Neighbours in the list of idle blocks; -1 at its ends.
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private var blocks: [Block] = []
    private var free: [Int32] = []
    private var cached: [UInt64: Int32] = [:]
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// Blocks that may be held; lower than the size while memory is limited.
    ///
    /// Call ``trim()`` after a change.
    var capacity: Int
    /// Blocks that are held.
    private(set) var used = 0
    /// Blocks that nobody holds and that still have their content.
    private(set) var idle = 0

    init(size: Int) { capacity = size }

    /// Blocks that can be taken, forgetting what is idle; negative when more are held than memory is left.
    var available: Int { capacity - used }

    /// How many of the leading hashes are cached, and how many of those are idle.
    func match(_ hashes: ArraySlice<UInt64>) -> (hits: Int, idle: Int) {
        var result = (hits: 0, idle: 0)
        for hash in hashes {
            guard let block = cached[hash] else { break }
            result.hits += 1
            if blocks[Int(block)].references == 0 { result.idle += 1 }
        }
        return result
    }

    /// One more reference to the block cached under `hash`.
    mutating func share(_ hash: UInt64) -> Int32? {
        guard let block = cached[hash] else { return nil }
        if blocks[Int(block)].references == 0 {
            unlink(block)
            used += 1
        }
        blocks[Int(block)].references += 1
        return block
    }

    /// A block without content, with one reference; nil when none can be had.
    mutating func take() -> Int32? {
        guard used < capacity else { return nil }
        if used + idle >= capacity { forgetOldest() }
        if free.isEmpty {
            free.append(Int32(blocks.count))
            blocks.append(Block())
        }
        let block = free.removeLast()
        blocks[Int(block)].references = 1
        used += 1
        return block
    }

    /// Remembers a held block by the hash of what it contains.
    ///
    /// When another block has the same content, this one stays private.
    mutating func cache(_ block: Int32, as hash: UInt64) {
        guard cached[hash] == nil, blocks[Int(block)].hash == nil else { return }
        cached[hash] = block
        blocks[Int(block)].hash = hash
    }

    /// Gives back one reference to each block, the last first.
    ///
    /// The head of a prompt is thus forgotten after its tail, which is worth nothing without it.
    mutating func release(_ held: [Int32]) {
        for block in held.reversed() {
            let index = Int(block)
            assert(blocks[index].references > 0)
            blocks[index].references -= 1
            guard blocks[index].references == 0 else { continue }
            used -= 1
            if blocks[index].hash == nil { free.append(block) } else { append(block) }
        }
        trim()
    }

    /// Forgets idle blocks until what is left fits the capacity.
    mutating func trim() {
        while idle > 0, used + idle > capacity { forgetOldest() }
    }

    private mutating func forgetOldest() {
        let block = oldest
        guard block >= 0, let hash = blocks[Int(block)].hash else { return }
        unlink(block)
        blocks[Int(block)].hash = nil
        cached[hash] = nil
        free.append(block)
    }

    private mutating func append(_ block: Int32) {
        blocks[Int(block)].previous = newest
        blocks[Int(block)].next = -1
        if newest >= 0 { blocks[Int(newest)].next = block } else { oldest = block }
        newest = block
        idle += 1
    }

    private mutating func unlink(_ block: Int32) {
        let (previous, next) = (blocks[Int(block)].previous, blocks[Int(block)].next)
        if previous >= 0 { blocks[Int(previous)].next = next } else { oldest = next }
        if next >= 0 { blocks[Int(next)].previous = previous } else { newest = previous }
        idle -= 1
    }
}
