#if SQLiteSupport
public import GPUClient
public import SpillwayCore

/// Keeps sessions in a file of SQLite, which several processes may use at once.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
///
/// Each call is one transaction. Others are waited for, for 5 s at most (`StoreError.Kind.inUse`). Whoever writes removes
/// some of what has expired.
public final class SQLiteSessionStore: SessionStore {
    /// What must be on the disk before a session counts as written.
    public typealias Synchronous = SQLiteLedgerStore.Synchronous

    /// Where the file is.
    public let path: String
    /// What must be on the disk before a session counts as written.
    public let synchronous: Synchronous
    private let file: StoreFile<SessionTables>

    /// Opens the file at `path`, and makes it where there is none.
    ///
    /// Beside it lie `path-wal` and `path-shm`, which belong to it, and `path.lock`, which is locked while somebody opens it.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists, on a disk of this machine.
    ///   - synchronous: What must be on the disk before a session counts as written; `normal` by default, because a turn that
    ///     is lost with the power costs a prefill and no answer.
    /// - Throws: `StoreError`.
    public init(_ path: String, synchronous: Synchronous = .normal) async throws(StoreError) {
        self.path = path
        self.synchronous = synchronous
        file = try await StoreFile.open(path, .write(synchronous))
    }

    deinit { file.closeLater() }

    /// A session as it was written last; nil: there is none, or it has expired.
    ///
    /// - Throws: `StoreError`.
    public func get(_ id: String, at now: Int64) async throws(StoreError) -> StoredSession? {
        try await file.perform { try $0.get(id, at: now) }
    }

    /// Writes a session if nobody else has written it.
    ///
    /// - Throws: `StoreError`.
    public func put(
        _ session: Session, replacing revision: Int64?, expires: Int64, at now: Int64
    ) async throws(StoreError) -> SessionWrite {
        try session.validate()
        return try await file.perform { try $0.put(session, revision, expires, at: now) }
    }

    /// Removes a session; whether it was there, in this revision.
    ///
    /// - Throws: `StoreError`.
    public func remove(_ id: String, revision: Int64?, at now: Int64) async throws(StoreError) -> Bool {
        try await file.perform { try $0.remove(id, revision, at: now) }
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
