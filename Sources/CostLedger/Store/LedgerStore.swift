public import SpillwayCore

/// Where a ledger keeps its postings, so that they outlive the process.
///
/// A ledger calls ``load(at:)`` once, and then ``append(_:)`` for one batch after the other, never two at once.
public protocol LedgerStore: Sendable {
    /// What a ledger must know to go on where the last one stopped.
    ///
    /// - Parameter now: Nanoseconds since 1970: balances of windows that ended before it may be left out, but not while
    ///   something is held or in suspense there, nor where a rolling window still counts them.
    /// - Throws: `StoreError`.
    func load(at now: Int64) async throws(StoreError) -> LedgerImage

    /// Keeps all of a batch or nothing of it, and returns when it would outlive the process.
    ///
    /// A posting whose number and kind are there already is left as it is, so that a batch may be given twice; but what a hold
    /// holds (``Posting/Kind/held``) may have grown since, and then counts. Balances replace those of the same scope, window and
    /// start.
    ///
    /// - Throws: `StoreError`; the ledger keeps the batch and gives it again.
    func append(_ batch: LedgerBatch) async throws(StoreError)
}

/// What is stored at once.
public struct LedgerBatch: Sendable {
    /// What happened, in order.
    public var postings: [Posting]
    /// The accounts that changed, as they are after the postings.
    public var balances: [Balance]

    /// The largest number that was given to a hold or an operation, also where there is nothing else to tell of it: none is given
    /// again after a restart.
    public var lastNumber: UInt64

    /// A batch.
    public init(postings: [Posting], balances: [Balance], lastNumber: UInt64 = 0) {
        self.postings = postings
        self.balances = balances
        self.lastNumber = lastNumber
    }
}

/// What a store knows when a ledger opens.
public struct LedgerImage: Sendable {
    /// The largest number of all batches and postings; 0: none.
    public var lastNumber: UInt64
    /// Balances of windows that are not over.
    public var balances: [Balance]
    /// Holds that were neither settled nor voided, by their last posting (``Posting/Kind/held`` or
    /// ``Posting/Kind/suspended``).
    public var open: [Posting]

    /// An image; that of an empty store by default.
    public init(lastNumber: UInt64 = 0, balances: [Balance] = [], open: [Posting] = []) {
        self.lastNumber = lastNumber
        self.balances = balances
        self.open = open
    }
}
