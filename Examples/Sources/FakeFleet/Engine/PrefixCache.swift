/// The prompt blocks an engine remembers, by chained hash, forgetting the least recently used first.
struct PrefixCache: Sendable {
    let capacity: Int
    /// The stamp of each block's latest use.
    private var latest: [UInt64: Int] = [:]
    /// Every use in order; those whose stamp is no longer the block's latest are stale.
    private var uses: [(block: UInt64, stamp: Int)] = []
    private var oldest = 0
    private var stamp = 0

    /// An empty cache of `capacity` blocks.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// How many leading blocks of a prompt are cached.
    func matchingPrefix(of blocks: [UInt64]) -> Int {
        blocks.prefix { latest[$0] != nil }.count
    }

    /// Notes a prompt's blocks as the most recently used and evicts what no longer fits.
    mutating func use(_ blocks: [UInt64]) {
        // From the end, so that eviction takes the tail of a prompt first: a head is worth nothing less without it,
        // a tail is worth nothing without the head.
        for block in blocks.reversed() {
            stamp += 1
            latest[block] = stamp
            uses.append((block, stamp))
        }
        while latest.count > capacity {
            let use = uses[oldest]
            oldest += 1
            if latest[use.block] == use.stamp {
                latest[use.block] = nil
            }
        }
        if uses.count > 2 * capacity + blocks.count {
            uses = uses[oldest...].filter { latest[$0.block] == $0.stamp }
            oldest = 0
        }
    }
}
