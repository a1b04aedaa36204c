// This module is empty unless the package trait `SQLiteSupport` is enabled:
// .package(url: …, from: …, traits: ["SQLiteSupport"])
#if SQLiteSupport
public import CostLedger
public import SpillwayCore

/// Keeps a ledger's postings in a file of SQLite.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
///
/// One ledger at a time has the file: a second one, of this process or another, is refused (`StoreError.Kind.inUse`)
/// until ``close()``, or the end of the process that has it. A ``SQLiteLedgerReader`` may read it at any time.
public final class SQLiteLedgerStore: LedgerStore {
    /// What must be on the disk before a posting counts as stored.
    public enum Synchronous: String, Sendable, Hashable, CaseIterable {
        /// All of it: it survives a power loss and a crash of the system.
        ///
        /// One `fsync` for each group of postings.
        case full
        /// What the system has taken over: it survives the death of the process, at any moment.
        ///
        /// After a power loss the last moments may be missing. The file stays whole either way.
        case normal
    }

    /// Where the file is.
    public let path: String
    /// What must be on the disk before a posting counts as stored.
    public let synchronous: Synchronous
    private let file: StoreFile<LedgerTables>

    /// Opens the file at `path`, and makes it where there is none.
    ///
    /// Beside it lie `path-wal` and `path-shm`, which belong to it, and `path.lock` with the number of its process.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists.
    ///   - synchronous: What must be on the disk before a posting counts as stored; ``Synchronous/full`` by default.
    /// - Throws: `StoreError`.
    public init(_ path: String, synchronous: Synchronous = .full) async throws(StoreError) {
        self.path = path
        self.synchronous = synchronous
        file = try await StoreFile.open(path, .write(synchronous))
    }

    deinit { file.closeLater() }

    /// What a ledger must know to go on where the last one stopped.
    ///
    /// - Throws: `StoreError`.
    public func load(at now: Int64) async throws(StoreError) -> LedgerImage {
        try await file.perform { try $0.load(at: now) }
    }

    /// Keeps all of a batch or nothing of it, in one transaction.
    ///
    /// - Throws: `StoreError`.
    public func append(_ batch: LedgerBatch) async throws(StoreError) {
        try await file.perform { try $0.append(batch) }
    }

    /// Closes the file and frees it for other ledgers; await `Ledger.stored()` before.
    ///
    /// What is asked of the store afterwards fails as `StoreError.Kind.closed`. A store that is dropped closes a little
    /// later by itself.
    ///
    /// - Throws: `StoreError`.
    public func close() async throws(StoreError) { try await file.close() }

    /// Bounds the file to its present size and `pages` more, as a disk that is nearly full would; nil: nothing does.
    package func leaveRoom(pages: Int64?) async throws(StoreError) {
        try await file.perform { try boundSize(pages: pages, $0.connection) }
    }
}
#endif
