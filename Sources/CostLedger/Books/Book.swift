/// The account of one scope in one window, in nano-dollars.
///
/// Double entry: whatever is held, spent, over or in suspense was moved there from the window's funds, so that
/// `held + spent + overage + suspense` is what the funds have given.
struct Book {
    var held: Int64 = 0
    var spent: Int64 = 0
    /// What settled calls cost above what they had held.
    var overage: Int64 = 0
    /// Held for calls of which nobody knows any more how they ended.
    var suspense: Int64 = 0
    /// What the older steps of a rolling window have taken and must be counted with this.
    var carried: Int64 = 0
    /// The hard limit; `Int64.max`: none.
    var hard: Int64 = .max
    /// The soft limit; `Int64.max`: none.
    var soft: Int64 = .max
    /// Nanoseconds since 1970.
    var start: Int64
    var end: Int64
    /// Whose it is, and for which of the scope's limits.
    let line: UInt32
    var track: UInt8
    /// Which window, as the books count them: limits may change while it is still to be settled or stored.
    var window: UInt16
    /// Whether a newer window has begun.
    var isPast = false
    /// Whether its place is free for another.
    var isFree = false
    /// Whether it is past, and still counts in a rolling window.
    var isCarried = false
    /// Whether the soft limit has been told of.
    var hasWarned = false
    /// Whether the store does not know its balances yet.
    var isDirty = false
    /// Holds that are to be settled in it.
    var open: UInt32 = 0

    init(line: UInt32, track: UInt8, window: UInt16, start: Int64, end: Int64) {
        self.line = line
        self.track = track
        self.window = window
        self.start = start
        self.end = end
    }

    /// What the window's funds have given.
    var taken: Int64 { held.plus(spent).plus(overage).plus(suspense) }

    /// What counts against the limits.
    var counted: Int64 { taken.plus(carried) }

    /// Whether `amount` more may be held; unbound, whether it can be counted.
    func admits(_ amount: Int64, isBound: Bool = true) -> Bool {
        let (sum, overflow) = counted.addingReportingOverflow(amount)
        return !overflow && (sum <= hard || !isBound)
    }
}

extension Int64 {
    /// The sum, which stops at the ends of the range: 9.2 billion dollars in one account end no process.
    @inline(__always)
    func plus(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

/// A scope's place in the books.
struct Line {
    let scope: Scope
    /// The current book of each limit of the scope, or the one book of a scope without limits.
    var books: SIMD4<UInt32> = .init()
    var count = 0
    /// The window of each.
    var windows: [Window] = []
    /// The past books that still count in a rolling window, of each limit.
    var carried: [[UInt32]] = []
    /// Accounts that pay for the scope.
    var accounts = 0
    /// Postings of which the store does not know yet.
    var unwritten = 0
}
