#if SQLiteSupport
internal import CostLedger
private import Dispatch
public import ModelRouting

/// Keeps jobs in a file of SQLite, which several processes may use at once.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
///
/// Each call of a `JobQueue` is one transaction. Others are waited for, for 5 s at most (`JobStoreError.Kind.inUse`).
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
    /// - Throws: `JobStoreError`.
    public init(
        _ path: String, synchronous: Synchronous = .full, isShared: Bool = true
    ) async throws(JobStoreError) {
        self.path = path
        self.synchronous = synchronous
        self.isShared = isShared
        do throws(LedgerStoreError) {
            file = try await StoreFile.open(path, .write(synchronous))
        } catch {
            throw JobStoreError(error)
        }
    }

    deinit {
        let file = file
        // Closing writes: not on the thread of whoever was the last to know the store.
        DispatchQueue.global().async { try? file.close() }
    }

    /// Adds a job that is ready, unless its tenant has one with its key in the queue already, or the queue is full.
    ///
    /// - Throws: `JobStoreError`.
    public func insert(
        _ record: JobRecord, payload: [UInt8], bounds: JobBounds, at now: Int64
    ) async throws(JobStoreError) -> JobInsertion {
        try await perform { try $0.insert(record, payload, bounds, at: now) }
    }

    /// Gives the next job of a queue to a worker.
    ///
    /// - Throws: `JobStoreError`.
    public func take(
        from queue: String, lease: Int64, bounds: JobBounds, at now: Int64
    ) async throws(JobStoreError) -> JobHandout {
        try await perform { try $0.take(queue, lease, bounds, at: now) }
    }

    /// Lets `change` happen to a job, if it may; nil: there is no such job.
    ///
    /// - Throws: `JobStoreError`.
    public func change(_ id: JobID, _ change: JobChange, at now: Int64) async throws(JobStoreError) -> JobChanged? {
        try await perform { try $0.change(id, change, at: now) }
    }

    /// A job as it was changed last; nil: there is no such job.
    ///
    /// - Throws: `JobStoreError`.
    public func find(_ id: JobID) async throws(JobStoreError) -> StoredJob? {
        try await perform { try $0.find(id) }
    }

    /// Lets happen what is due in a queue, and counts.
    ///
    /// - Throws: `JobStoreError`.
    public func tidy(_ queue: String, bounds: JobBounds, at now: Int64) async throws(JobStoreError) -> JobCounts {
        try await perform { try $0.tidy(queue, bounds, at: now) }
    }

    /// Closes the file; end what works on it before.
    ///
    /// What is asked of the store afterwards fails as `JobStoreError.Kind.closed`. A store that is dropped closes a little
    /// later by itself.
    ///
    /// - Throws: `JobStoreError`.
    public func close() async throws(JobStoreError) {
        let file = file
        do throws(LedgerStoreError) {
            try await StoreFile<JobTables>.offThePool { () throws(LedgerStoreError) in try file.close() }
        } catch {
            throw JobStoreError(error)
        }
    }

    /// Bounds the file to its present size and `pages` more, as a disk that is nearly full would; nil: nothing does.
    package func leaveRoom(pages: Int64?) async throws(JobStoreError) {
        try await perform { try boundSize(pages: pages, $0.connection) }
    }

    private func perform<Value: Sendable>(
        _ work: @escaping @Sendable (JobTables) throws -> Value
    ) async throws(JobStoreError) -> Value {
        do throws(LedgerStoreError) {
            return try await file.perform(work)
        } catch {
            throw JobStoreError(error)
        }
    }
}

extension JobStoreError {
    /// What the error of a file means for jobs.
    fileprivate init(_ error: LedgerStoreError) {
        let kind: Kind =
            switch error.kind {
            case .full: .full
            case .readOnly: .readOnly
            case .corrupt: .corrupt
            case .inUse: .inUse
            case .closed: .closed
            case .other: .other
            }
        self.init(kind, error.description)
    }
}
#endif
