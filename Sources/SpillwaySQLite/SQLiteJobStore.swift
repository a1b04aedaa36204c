#if SQLiteSupport
public import ModelRouting
public import SpillwayCore

/// Keeps jobs in a file of SQLite, which several processes may use at once.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
///
/// Each call of a `JobQueue` is one transaction. Others are waited for, for 5 s at most (`StoreError.Kind.inUse`).
public final class SQLiteJobStore: JobStore {
    /// What must be on the disk before a job counts as stored.
    public typealias Synchronous = SQLiteLedgerStore.Synchronous

    /// Where the file is.
    public let path: String
    /// What must be on the disk before a job counts as stored.
    public let synchronous: Synchronous
    /// Whether several processes use the file, so that each looks every now and then what the others did.
    public let isShared: Bool
    private let file: StoreFile<JobTables>

    /// Opens the file at `path`, and makes it where there is none.
    ///
    /// Beside it lie `path-wal` and `path-shm`, which belong to it, and `path.lock`, which is locked while somebody opens it.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists, on a disk of this machine.
    ///   - synchronous: What must be on the disk before a job counts as stored; `full` by default.
    ///   - isShared: Whether several processes use it; by default they may. If not, nobody looks whether others did anything.
    /// - Throws: `StoreError`.
    public init(
        _ path: String, synchronous: Synchronous = .full, isShared: Bool = true
    ) async throws(StoreError) {
        self.path = path
        self.synchronous = synchronous
        self.isShared = isShared
        file = try await StoreFile.open(path, .write(synchronous))
    }

    deinit { file.closeLater() }

    /// Adds a job that is ready, unless its tenant has one with its key in the queue already, or the queue is full.
    ///
    /// - Throws: `StoreError`.
    public func insert(
        _ record: JobRecord, payload: [UInt8], bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobInsertion {
        try await file.perform { try $0.insert(record, payload, bounds, at: now) }
    }

    /// Gives the next job of a queue to a worker.
    ///
    /// - Throws: `StoreError`.
    public func take(
        from queue: String, lease: Int64, bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobHandout {
        try await file.perform { try $0.take(queue, lease, bounds, at: now) }
    }

    /// Lets `change` happen to a job, if it may; nil: there is no such job.
    ///
    /// - Throws: `StoreError`.
    public func change(_ id: JobID, _ change: JobChange, at now: Int64) async throws(StoreError) -> JobChanged? {
        try await file.perform { try $0.change(id, change, at: now) }
    }

    /// A job as it was changed last; nil: there is no such job.
    ///
    /// - Throws: `StoreError`.
    public func find(_ id: JobID) async throws(StoreError) -> StoredJob? {
        try await file.perform { try $0.find(id) }
    }

    /// Lets happen what is due in a queue, and counts.
    ///
    /// - Throws: `StoreError`.
    public func tidy(_ queue: String, bounds: JobBounds, at now: Int64) async throws(StoreError) -> JobCounts {
        try await file.perform { try $0.tidy(queue, bounds, at: now) }
    }

    /// Closes the file; end what works on it before.
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
