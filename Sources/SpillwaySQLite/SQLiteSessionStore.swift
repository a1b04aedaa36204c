#if SQLiteSupport
internal import CostLedger
private import Dispatch
public import GPUClient

/// Keeps sessions in a file of SQLite, which several processes may use at once.
///
/// This module is empty unless the package trait `SQLiteSupport` is enabled.
///
/// Each call is one transaction. Others are waited for, for 5 s at most (`SessionStoreError.Kind.inUse`). Whoever writes removes
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
    /// - Throws: `SessionStoreError`.
    public init(_ path: String, synchronous: Synchronous = .normal) async throws(SessionStoreError) {
        self.path = path
        self.synchronous = synchronous
        do throws(LedgerStoreError) {
            file = try await StoreFile.open(path, .write(synchronous))
        } catch {
            throw SessionStoreError(error)
        }
    }

    deinit {
        let file = file
        // Closing writes: not on the thread of whoever was the last to know the store.
        DispatchQueue.global().async { try? file.close() }
    }

    /// A session as it was written last; nil: there is none, or it has expired.
    ///
    /// - Throws: `SessionStoreError`.
    public func get(_ id: String, at now: Int64) async throws(SessionStoreError) -> StoredSession? {
        try await perform { try $0.get(id, at: now) }
    }

    /// Writes a session if nobody else has written it.
    ///
    /// - Throws: `SessionStoreError`.
    public func put(
        _ session: Session, replacing revision: Int64?, expires: Int64, at now: Int64
    ) async throws(SessionStoreError) -> SessionWrite {
        try session.validate()
        return try await perform { try $0.put(session, revision, expires, at: now) }
    }

    /// Removes a session; whether it was there, in this revision.
    ///
    /// - Throws: `SessionStoreError`.
    public func remove(_ id: String, revision: Int64?, at now: Int64) async throws(SessionStoreError) -> Bool {
        try await perform { try $0.remove(id, revision, at: now) }
    }

    /// Closes the file; end what works on it before.
    ///
    /// What is asked of the store afterwards fails as `SessionStoreError.Kind.closed`. A store that is dropped closes a little
    /// later by itself.
    ///
    /// - Throws: `SessionStoreError`.
    public func close() async throws(SessionStoreError) {
        let file = file
        do throws(LedgerStoreError) {
            try await StoreFile<SessionTables>.offThePool { () throws(LedgerStoreError) in try file.close() }
        } catch {
            throw SessionStoreError(error)
        }
    }

    /// Bounds the file to its present size and `pages` more, as a disk that is nearly full would; nil: nothing does.
    package func leaveRoom(pages: Int64?) async throws(SessionStoreError) {
        try await perform { try boundSize(pages: pages, $0.connection) }
    }

    private func perform<Value: Sendable>(
        _ work: @escaping @Sendable (SessionTables) throws -> Value
    ) async throws(SessionStoreError) -> Value {
        do throws(LedgerStoreError) {
            return try await file.perform(work)
        } catch {
            throw SessionStoreError(error)
        }
    }
}

extension SessionStoreError {
    /// What the error of a file means for sessions.
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
