internal import SpillwayCore

/// What is remembered of one hold until it is settled, as plain values.
struct HoldRecord {
    /// The most books that one hold can touch.
    static let mostBooks = 16

    /// Which hold of this place it is; a token with another says nothing.
    var generation: UInt32 = 0
    var isOpen = false
    /// Whether it has outlived the time for holds, and lies in suspense.
    var isSuspended = false
    /// Whether an earlier ledger has left it open.
    var isRestored = false
    var bookCount: UInt8 = 0
    // Places in the list of holds by age.
    var older = Int32(-1)
    var newer = Int32(-1)
    var amount: Int64 = 0
    /// Nanoseconds since 1970.
    var began: Int64 = 0
    var number: UInt64 = 0
    /// The number of the operation that it is an attempt of.
    var operation: UInt64 = 0
    /// Which attempt of the operation it is, from 1.
    var attempt: UInt32 = 1
    /// Where the posting that opened it lies among those that the store has not taken yet.
    var posting = 0
    var batch: UInt64 = 0
    /// Whether the store has been given a posting of it in an earlier batch.
    var isKnown = false
}

/// What else is remembered of a hold that was made as a gate; empty for one whose owner settles it with an amount.
struct HoldDetails {
    var price: PricedModel?
    var service = Price.Service.standard
    var onLimit = OnLimit.finish
    var bill: Bill?
    /// What it has used so far, and what that costs; nil: nobody has said.
    var usage: Usage?
    var cost: Int64 = 0
    /// Whether that has no price, so that ``cost`` is an estimate.
    var isUnpriced = false

    var isEmpty: Bool { price == nil && bill == nil && usage == nil }
}

/// What becomes of an answer whose running cost passes what is held for it.
public enum OnLimit: Sendable, Hashable {
    /// More is held while the limits allow it, and the answer is finished either way: what it costs above is overage.
    case finish
    /// More is held while the limits allow it, and then the attempt is told to stop.
    case cut
    /// Nothing is done until the answer is settled.
    case allow
}

/// Lines of the books, each once.
struct LineSet: Hashable {
    private(set) var lines = SIMD16<UInt32>()
    private(set) var count = 0

    mutating func insert(_ line: UInt32) {
        for index in 0..<count where lines[index] == line { return }
        lines[count] = line
        count += 1
    }
}
