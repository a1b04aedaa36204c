internal import SpillwayCore

/// Brings postings to the store, in groups: what comes while one is being written makes the next.
final class LedgerWriter: Sendable {
    let refuses = false
    let retryAfter: Int64 = -1
    func wake() {}
}
