extension UInt64 {
    /// 2⁶⁴ by the golden ratio, made odd (Knuth, volume 3, section 6.4): for a table that other processes are to have alike.
    static let goldenMultiplier: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// One for a table whose order nobody sees: whoever writes prompts can choose their hashes, and by a known number all in one place.
    ///
    /// By a random odd one two hashes meet in one of n places with a probability of 2/n at most (Dietzfelbinger, Hagerup, Katajainen
    /// and Penttonen, *A reliable randomized algorithm for the closest-pair problem*, 1997). It is the system's, and takes no number
    /// from a fleet's source: a seeded one goes on the same.
    static var randomMultiplier: UInt64 { .random(in: 0 ... .max) | 1 }

    /// One of `count` places, which is a power of two and 2 or more, by multiplicative hashing.
    ///
    /// Hashes of other people are not to be trusted to be spread, a trace numbers its blocks; the product's highest bits depend on
    /// all of them.
    func spread(over count: Int, by multiplier: UInt64) -> Int {
        Int(truncatingIfNeeded: (self &* multiplier) >> UInt64((count - 1).leadingZeroBitCount))
    }
}

/// Which replicas hold each hash: open addressing, at most half full.
struct HolderTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        var holders = ReplicaSet()
    }

    // An empty set marks an empty slot.
    private var slots: [Slot] = Array(repeating: Slot(), count: 256)
    private(set) var count = 0
    /// Decides where hashes lie, and nothing that is told of them.
    let multiplier: UInt64

    init(multiplier: UInt64 = .randomMultiplier) { self.multiplier = multiplier }

    private func home(_ hash: UInt64) -> Int { hash.spread(over: slots.count, by: multiplier) }

    private func find(_ hash: UInt64) -> Int {
        var at = home(hash)
        while !slots[at].holders.isEmpty, slots[at].hash != hash { at = (at + 1) & (slots.count - 1) }
        return at
    }

    /// Nobody where it is not there.
    func holders(of hash: UInt64) -> ReplicaSet { slots[find(hash)].holders }

    mutating func insert(_ place: Int, for hash: UInt64) {
        var at = find(hash)
        if slots[at].holders.isEmpty {
            if (count + 1) * 2 > slots.count {
                grow()
                at = find(hash)
            }
            slots[at].hash = hash
            count += 1
        }
        slots[at].holders.insert(place)
    }

    mutating func remove(_ place: Int, for hash: UInt64) {
        let at = find(hash)
        guard slots[at].holders.contains(place) else { return }
        slots[at].holders.remove(place)
        if slots[at].holders.isEmpty { close(at) }
    }

    /// Moves back what would not be found behind the gap.
    private mutating func close(_ gap: Int) {
        count -= 1
        let mask = slots.count - 1
        var gap = gap, at = (gap + 1) & mask
        while !slots[at].holders.isEmpty {
            let home = home(slots[at].hash)
            if (at - home) & mask >= (at - gap) & mask {
                slots[gap] = slots[at]
                gap = at
            }
            at = (at + 1) & mask
        }
        slots[gap] = Slot()
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where !slot.holders.isEmpty { slots[find(slot.hash)] = slot }
    }
}
