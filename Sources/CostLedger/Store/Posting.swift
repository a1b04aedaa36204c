public import SpillwayCore

/// One line of the journal: what became of one hold.
///
/// A hold has one number and up to three postings: it was held, it came into suspense, and it was settled or voided. An answer
/// that was saved has a number of its own and one posting. Number and kind together name a posting for ever, so that one that is
/// stored twice counts once.
public struct Posting: Sendable, Hashable {
    /// What happened.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// Money was held before an attempt.
        case held
        /// The attempt has ended, and what it cost was taken.
        case settled
        /// The attempt never ran, and what was held was given back.
        case voided
        /// Nobody knows how the attempt ended: what was held stays counted, until somebody says what it was.
        case suspended
        /// An answer cost nothing, because a cache had it: no balance has changed.
        case saved
    }

    /// The number of the hold, which only grows, also through restarts.
    public var number: UInt64
    /// What happened to it.
    public var kind: Kind
    /// The number of its bill, the same for all attempts of one call; without a bill that of the hold, and each attempt is an
    /// operation of its own.
    public var operation: UInt64
    /// Which attempt of the operation it is, from 1: retries, hedges and fallbacks in the order in which they were held.
    ///
    /// 0 for ``Kind/saved``, which took none.
    public var attempt: UInt32
    /// Who pays.
    public var scopes: [Scope]
    /// When it was held, in nanoseconds since 1970.
    public var began: Int64
    /// When it happened, in nanoseconds since 1970.
    public var time: Int64
    /// What was held.
    public var held: Money
    /// What it cost, for ``Kind/settled``; may be more than was held.
    public var cost: Money
    /// What the call would have cost, for ``Kind/saved``, whose ``cost`` is zero; else zero.
    public var saved: Money
    /// What was used, or would have been; nil when it was settled with an amount alone.
    public var usage: Usage?
    /// Where the cost comes from.
    public var source: Usage.Source
    /// How the attempt ended; neutral and cancelled where nobody said.
    public var outcome: Outcome

    /// A posting.
    public init(
        number: UInt64, kind: Kind, operation: UInt64, attempt: UInt32, scopes: [Scope], began: Int64, time: Int64,
        held: Money, cost: Money, saved: Money = .zero, usage: Usage?, source: Usage.Source, outcome: Outcome
    ) {
        self.number = number
        self.kind = kind
        self.operation = operation
        self.attempt = attempt
        self.scopes = scopes
        self.began = began
        self.time = time
        self.held = held
        self.cost = cost
        self.saved = saved
        self.usage = usage
        self.source = source
        self.outcome = outcome
    }

    /// What it cost above what was held.
    public var overage: Money { Swift.max(.zero, cost - held) }
}

/// What the account of one scope in one window has come to.
public struct Balance: Sendable, Hashable {
    /// Whose it is.
    public var scope: Scope
    /// The kind of window.
    public var window: Window
    /// The window's first nanosecond since 1970, or that of one step of a rolling window.
    public var start: Int64
    /// The first nanosecond after it.
    public var end: Int64
    /// Held for attempts under way.
    public var held: Money
    /// Spent by settled attempts, up to what was held for each.
    public var spent: Money
    /// What settled attempts cost above what was held for them.
    public var overage: Money
    /// Held for attempts of which nobody knows how they ended.
    public var suspense: Money

    /// A balance.
    public init(
        scope: Scope, window: Window, start: Int64, end: Int64, held: Money, spent: Money, overage: Money,
        suspense: Money
    ) {
        self.scope = scope
        self.window = window
        self.start = start
        self.end = end
        self.held = held
        self.spent = spent
        self.overage = overage
        self.suspense = suspense
    }

    /// All of it: what the window's funds have given.
    public var taken: Money { held + spent + overage + suspense }
}
