internal import SpillwayCore

/// Where processes that share a limit take their slices from.
///
/// One call does everything that a process has to tell and to ask, in one atomic step. The store counts in its own time, and
/// keeps these rules, so that no unit is given twice whatever is lost or comes late:
///
/// - A request that bears the number of the holder's last one changes nothing and gets the same answer. One with a lower
///   number changes nothing either, and its answer says so (``LeaseReply/isStale``).
/// - A rate is a bucket from which slices are taken for good. It begins empty, and is empty again after the store has lost
///   its memory or was started anew; what a holder returns, or says that it spent without a slice, counts only when it has
///   been told of the present ``LeaseReply/era``.
/// - Of an amount the store knows for each holder what it has spent and what it holds. What it holds falls back when its
///   lease is over; what it has spent stays, until the window ends. A store that was started anew gives nothing for as long
///   as a lease lasts, so that all holders can say first what they have spent.
///
/// ``MemoryLeaseStore`` is one for the limits of one process and for tests; `SpillwayValkey` has one for a fleet.
public protocol LeaseStore: Sendable {
    /// Takes note of what a holder says, and gives it what it may have.
    ///
    /// It must end within a few seconds, by itself: a limit waits for it even when it is cancelled.
    ///
    /// - Throws: ``LeaseStoreError``; then nobody knows whether the request was served, and it will come again.
    func exchange(_ request: LeaseRequest) async throws(LeaseStoreError) -> LeaseReply
}

/// What one process tells the store of a limit, and asks of it.
public struct LeaseRequest: Sendable, Hashable {
    /// The limit's name, the same in all processes.
    public var key: String
    /// How much there is for all of them.
    public var limit: SharedLimit.Limit
    /// Who asks: a number that no other holder has.
    public var holder: UInt64
    /// Which of the holder's requests it is, from 1.
    public var number: Int64
    /// The store's ``LeaseReply/era`` as the holder knows it; empty: it knows none.
    public var era: String
    /// How long a lease is to last.
    public var life: Duration
    /// How many more units it would like.
    public var want: Int64
    /// How many of those it needs for one call that waits; at most ``want``.
    public var need: Int64
    /// Of a rate: units of its slices that it gives back.
    public var returned: Int64
    /// Of a rate: units that it spent without a slice since its last request.
    public var unleased: Int64
    /// Of an amount: the window in which it has spent and holds what it says; −1: none.
    public var window: Int64
    /// Of an amount: all that it has spent in the window.
    public var spent: Int64
    /// Of an amount: what it holds and has not spent; below 0: it has spent more than it was given.
    public var held: Int64

    /// A request.
    public init(
        key: String, limit: SharedLimit.Limit, holder: UInt64, number: Int64, era: String, life: Duration, want: Int64,
        need: Int64, returned: Int64, unleased: Int64, window: Int64, spent: Int64, held: Int64
    ) {
        self.key = key
        self.limit = limit
        self.holder = holder
        self.number = number
        self.era = era
        self.life = life
        self.want = want
        self.need = need
        self.returned = returned
        self.unleased = unleased
        self.window = window
        self.spent = spent
        self.held = held
    }
}

/// What a store answers.
public struct LeaseReply: Sendable, Hashable {
    /// Units that may be spent within the request's life, counted from when the holder first sent the request.
    public var granted: Int64
    /// What is left for all holders.
    public var left: Int64
    /// Of an amount: what no holder has spent of it in the window, though others may hold it; `Int64.max`: nobody knows.
    public var unspent: Int64
    /// How long it takes until what was needed can be there; zero: it was given, or nobody knows.
    public var wait: Duration
    /// Names the store's present memory: another after it was started anew.
    public var era: String
    /// Of an amount: the window of the grant.
    public var window: Int64
    /// Of an amount: how long the window goes on.
    public var windowEndsIn: Duration
    /// Of an amount: the holder's lease was over, so what it held is not its own any more.
    public var isLapsed: Bool
    /// A later request of the holder has been served already.
    public var isStale: Bool

    /// An answer.
    public init(
        granted: Int64, left: Int64, unspent: Int64 = .max, wait: Duration = .zero, era: String,
        window: Int64 = -1, windowEndsIn: Duration = .zero, isLapsed: Bool = false, isStale: Bool = false
    ) {
        self.granted = granted
        self.left = left
        self.unspent = unspent
        self.wait = wait
        self.era = era
        self.window = window
        self.windowEndsIn = windowEndsIn
        self.isLapsed = isLapsed
        self.isStale = isStale
    }

    /// Whether a store that keeps the rules can have answered so: what it says is added up and counted with.
    package func answers(_ request: LeaseRequest) -> Bool {
        granted >= 0 && granted <= max(request.want, request.need) && wait >= .zero && windowEndsIn >= .zero
    }
}

/// Why a store did not answer.
public struct LeaseStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kinds there are.
    public enum Kind: Sendable, Hashable {
        /// It cannot be reached.
        case unreachable
        /// It did not answer in time.
        case timedOut
        /// It refused: credentials, rights, a server that cannot do what is needed.
        case refused
        /// Its answer makes no sense.
        case malformed
        /// It was closed.
        case closed
    }

    /// What is wrong.
    public let kind: Kind
    /// Where, and what was said.
    public let description: String

    /// An error.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
