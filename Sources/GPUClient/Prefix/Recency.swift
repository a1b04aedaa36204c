/// The hashes that one replica is thought to hold, the least recently used first to go.
struct Recency: Sendable {
    private struct Entry {
        var hash: UInt64
        /// Neighbours in the order of use, and the next in the same bucket; −1: none.
        var older: Int32, newer: Int32, next: Int32
        /// Tokens that it stands for, beside those before it.
        var tokens: Int32
        /// The call that used it last.
        var call: UInt32
    }

    private var entries: [Entry] = []
    private var free: Int32 = -1
    private var buckets: [Int32] = Array(repeating: -1, count: 64)
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    private(set) var count = 0
    /// Tokens of all.
    private(set) var tokens = 0
    /// Decides in which bucket hashes are, and nothing that is told of them.
    let multiplier: UInt64

    init(multiplier: UInt64 = .randomMultiplier) { self.multiplier = multiplier }

    private func bucket(_ hash: UInt64) -> Int { hash.spread(over: buckets.count, by: multiplier) }

    private func find(_ hash: UInt64) -> Int32 {
        var at = buckets[bucket(hash)]
        while at >= 0, entries[Int(at)].hash != hash { at = entries[Int(at)].next }
        return at
    }

    /// Makes `hash` the most recently used; true when it is new.
    mutating func use(_ hash: UInt64, _ tokens: Int = 1, by call: UInt32 = 0) -> Bool {
        let known = find(hash)
        if known >= 0 {
            entries[Int(known)].call = call
            guard known != newest else { return false }
            unlink(known)
            append(known)
            return false
        }
        if count == buckets.count { grow() }
        let at: Int32, head = bucket(hash), own = Int32(clamping: tokens)
        if free >= 0 {
            at = free
            free = entries[Int(at)].next
            entries[Int(at)] = Entry(hash: hash, older: -1, newer: -1, next: buckets[head], tokens: own, call: call)
        } else {
            at = Int32(entries.count)
            entries.append(Entry(hash: hash, older: -1, newer: -1, next: buckets[head], tokens: own, call: call))
        }
        buckets[head] = at
        append(at)
        count += 1
        self.tokens += Int(own)
        return true
    }

    /// Forgets `hash` if no other call has used it since; false when it stays, or was not there.
    mutating func remove(_ hash: UInt64, of call: UInt32) -> Bool {
        let at = find(hash)
        return at >= 0 && entries[Int(at)].call == call && remove(hash)
    }

    /// Forgets `hash`; false when it was not there.
    @discardableResult
    mutating func remove(_ hash: UInt64) -> Bool {
        let at = find(hash)
        guard at >= 0 else { return false }
        let head = bucket(hash)
        if buckets[head] == at {
            buckets[head] = entries[Int(at)].next
        } else {
            var before = buckets[head]
            while entries[Int(before)].next != at { before = entries[Int(before)].next }
            entries[Int(before)].next = entries[Int(at)].next
        }
        unlink(at)
        entries[Int(at)].next = free
        free = at
        count -= 1
        tokens -= Int(entries[Int(at)].tokens)
        return true
    }

    /// Forgets the least recently used, and returns it.
    mutating func removeOldest() -> UInt64? {
        guard oldest >= 0 else { return nil }
        let hash = entries[Int(oldest)].hash
        remove(hash)
        return hash
    }

    private mutating func append(_ at: Int32) {
        entries[Int(at)].older = newest
        entries[Int(at)].newer = -1
        if newest >= 0 { entries[Int(newest)].newer = at } else { oldest = at }
        newest = at
    }

    private mutating func unlink(_ at: Int32) {
        let (older, newer) = (entries[Int(at)].older, entries[Int(at)].newer)
        if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
    }

    private mutating func grow() {
        buckets = Array(repeating: -1, count: buckets.count * 2)
        var at = oldest
        while at >= 0 {
            let head = bucket(entries[Int(at)].hash)
            entries[Int(at)].next = buckets[head]
            buckets[head] = at
            at = entries[Int(at)].newer
        }
    }
}
