#if SQLiteSupport
public import CostLedger
public import SpillwayCore

/// Reads the file of a ledger for reports, also while a ledger writes it.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
public final class SQLiteLedgerReader: Sendable {
    /// How many postings are read at once, so that no reader keeps the file's log from being emptied.
    private static let page = 2_000

    /// Where the file is.
    public let path: String
    private let file: StoreFile<LedgerTables>

    /// Opens the file at `path`, in a folder where SQLite may keep its `path-shm` beside it.
    ///
    /// - Throws: `StoreError`.
    public init(_ path: String) async throws(StoreError) {
        self.path = path
        file = try await StoreFile.open(path, .read)
    }

    /// Calls `body` for each posting of a time, in order of time.
    ///
    /// Postings that are stored meanwhile may be among them or not; for a time that is over all are.
    ///
    /// - Parameters:
    ///   - from: The first nanosecond since 1970; by default all that was.
    ///   - to: The first nanosecond after it; by default all that comes.
    ///   - scope: Who pays, perhaps with others; nil: all.
    ///   - body: What to do with it; what it throws ends the reading.
    /// - Throws: `StoreError`, and what `body` throws.
    public func postings(
        from: Int64 = .min, to: Int64 = .max, of scope: Scope? = nil, _ body: (Posting) throws -> Void
    ) async throws {
        var start = from, last = Int64.min
        while true {
            let (from, after) = (start, last)
            let page = try await file.perform {
                try $0.postings(from: from, after: after, to: to, of: scope, count: Self.page)
            }
            for posting in page { try body(posting) }
            guard page.count == Self.page, let end = page.last else { return }
            start = end.time
            last = try PostingColumns.id(end)
        }
    }

    /// The accounts as they were stored last: all windows that ever were, or those that go on at `now`.
    ///
    /// - Throws: `StoreError`.
    public func balances(at now: Int64? = nil) async throws(StoreError) -> [Balance] {
        try await file.perform { try $0.balances(now.map { "start <= \($0) AND end > \($0)" } ?? "1") }
    }

    /// What a ledger would go on with: its last number, its balances, and the holds that are open.
    ///
    /// - Parameter now: Nanoseconds since 1970.
    /// - Throws: `StoreError`.
    public func image(at now: Int64) async throws(StoreError) -> LedgerImage {
        try await file.perform { try $0.load(at: now) }
    }
}
#endif
