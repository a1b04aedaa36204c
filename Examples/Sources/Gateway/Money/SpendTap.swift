import CostLedger
import SpillwayCore

/// Counts what calls have cost as the ledger posts it, on the way to where postings are kept.
struct SpendTap: LedgerStore {
    let metrics: Metrics
    /// Nil: nowhere.
    var next: (any LedgerStore)?

    /// What the store knows.
    func load(at now: Int64) async throws(StoreError) -> LedgerImage {
        try await next?.load(at: now) ?? LedgerImage()
    }

    /// Stores, and then counts: what fails comes again.
    func append(_ batch: LedgerBatch) async throws(StoreError) {
        try await next?.append(batch)
        for posting in batch.postings where posting.kind == .settled { metrics.spent(posting) }
    }
}
