/// Holds that were neither settled nor voided, in whatever order their postings come.
struct OpenHolds: Sendable {
    /// How a hold stands.
    struct Hold: Hashable {
        var isSuspended: Bool
        var amount: Money
    }

    private var open: [UInt64: Hold] = [:]
    private var ended = NumberSet()

    /// How the hold stood before a posting, and how it stands after it; nil: it is not open.
    mutating func take(_ posting: Posting) -> (before: Hold?, after: Hold?) {
        let before = open[posting.number]
        switch posting.kind {
        case .saved: break
        case .settled, .voided:
            _ = ended.insert(posting.number)
            open[posting.number] = nil
        case .held, .suspended:
            // Where two postings bear the same time, the later may come first.
            let isOlder = ended.contains(posting.number) || (posting.kind == .held && before != nil)
            guard !isOlder else { return (before, before) }
            open[posting.number] = Hold(isSuspended: posting.kind == .suspended, amount: posting.held)
        }
        return (before, open[posting.number])
    }
}

/// A set of numbers that lie close to each other: 64 of them in a word.
struct NumberSet: Sendable {
    private var words: [UInt64: UInt64] = [:]

    /// Whether the number was not in it before.
    mutating func insert(_ number: UInt64) -> Bool {
        let bit = UInt64(1) << (number % 64)
        let old = words[number / 64, default: 0]
        words[number / 64] = old | bit
        return old & bit == 0
    }

    func contains(_ number: UInt64) -> Bool { (words[number / 64] ?? 0) >> (number % 64) & 1 == 1 }
}
