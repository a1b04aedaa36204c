/// Which hash of a prompt tells what it belongs to: the first that not too many others share.
///
/// Many clients without a word between them come to the same, because what is shared by all (a system prompt) is seen by all.
struct Homes: Sendable {
    private struct Cell {
        var hash: UInt64 = 0
        var count: Float = 0
    }

    /// Cells that a hash may be in: a long system prompt has many hashes, of which some meet.
    private static let ways = 4
    private var cells = [Cell](repeating: Cell(), count: 4_096)
    private var calls: Float = 0

    /// Its cell, or else the one of the least count that it may be in.
    private func find(_ hash: UInt64) -> Int {
        let first = hash.spread(over: cells.count / Self.ways, by: .goldenMultiplier) * Self.ways
        var least = first
        for at in first..<first + Self.ways {
            if cells[at].hash == hash { return at }
            if cells[at].count < cells[least].count { least = at }
        }
        return least
    }

    /// Counts the leading hashes of a call, as far as they are shared by many.
    mutating func note(_ hashes: [UInt64]) {
        calls += 1
        if calls > 16_384 {
            calls /= 2
            for index in cells.indices { cells[index].count /= 2 }
        }
        for hash in hashes.prefix(64) {
            let at = find(hash)
            if cells[at].hash == hash {
                cells[at].count += 1
                // What follows something rare is rare.
                if cells[at].count < calls / 256 { return }
            } else {
                cells[at].count -= 1
                if cells[at].count < 0 { cells[at] = Cell(hash: hash, count: 1) }
                return
            }
        }
    }

    /// The first hash that no more than a `share` of all calls has; nil where all that are looked at are shared by more.
    func key(_ hashes: [UInt64], share: Float) -> UInt64? {
        for hash in hashes.prefix(64) {
            let at = find(hash)
            if cells[at].hash != hash || cells[at].count <= max(8, calls * share) { return hash }
        }
        return nil
    }
}
