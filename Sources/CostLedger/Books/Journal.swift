internal import SpillwayCore

/// What the store is still to be told.
struct Journal {
    /// A posting before its scopes have been looked up.
    struct Entry {
        var number: UInt64
        var kind: Posting.Kind
        var operation: UInt64
        var attempt: UInt32
        var lines: LineSet
        var began: Int64
        var time: Int64
        var held: Int64
        /// What was saved, for an entry of that kind.
        var cost: Int64
        var usage: Usage?
        var source: Usage.Source
        var outcome: Outcome
        /// Nothing is left to tell: it was held and voided before the store heard of it.
        var isDropped = false
    }

    /// What has not been given to the store yet.
    private(set) var entries: ContiguousArray<Entry> = []
    /// Books that have changed since the store was told of them.
    var dirty: [UInt32] = []
    /// Books to be freed as soon as the store has been told of them.
    var condemned: [UInt32] = []
    /// The number of the batch that is being filled.
    private(set) var batch: UInt64 = 1
    /// How many postings the store has not been given.
    var count: Int { entries.count }

    /// Whether there is nothing to tell.
    var isEmpty: Bool { entries.isEmpty && dirty.isEmpty }

    /// Writes an entry; where the hold was opened in the same batch, in the place of that, and then there is no new one.
    mutating func write(_ entry: Entry, _ hold: inout HoldRecord) -> Bool {
        if hold.batch == batch {
            entries[hold.posting] = entry
            entries[hold.posting].isDropped = entry.kind == .voided && !hold.isKnown
            return false
        }
        hold.isKnown = hold.isKnown || hold.batch != 0
        hold.batch = batch
        hold.posting = entries.count
        entries.append(entry)
        return true
    }

    /// Writes an entry that belongs to no hold.
    mutating func write(_ entry: Entry) { entries.append(entry) }

    /// Takes what is there, and begins another batch.
    mutating func take() -> ContiguousArray<Entry> {
        batch += 1
        defer { entries = [] }
        return entries
    }
}
