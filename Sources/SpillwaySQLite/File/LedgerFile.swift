#if SQLiteSupport
internal import CostLedger
internal import Dispatch
internal import GRDB
internal import GRDBSQLite

/// A connection to the file, whose work is done one piece after the other on a queue of its own.
final class LedgerFile: Sendable {
    /// What for it is opened.
    enum Access: Sendable {
        case read
        case write(SQLiteLedgerStore.Synchronous)
    }

    private let path: String
    private let queue: DatabaseQueue
    private let lock: FileLock?
    /// What was prepared, touched on the queue alone; nil: closed.
    nonisolated(unsafe) private var tables: LedgerTables?

    private init(_ path: String, _ access: Access) throws(LedgerStoreError) {
        self.path = path
        var configuration = Configuration()
        configuration.label = "ledger"
        configuration.busyMode = .timeout(5)
        switch access {
        case .read:
            lock = nil
            configuration.readonly = true
        case .write:
            lock = try FileLock(path)
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            tables = try queue.inDatabase { db in
                guard let connection = db.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
                do {
                    return try LedgerTables(connection, path, access)
                } catch {
                    throw storeError(error, path, connection)
                }
            }
        } catch {
            throw storeError(error, path, nil)
        }
    }

    /// Opens the file, not on the caller's thread.
    static func open(_ path: String, _ access: Access) async throws(LedgerStoreError) -> LedgerFile {
        try await offThePool { () throws(LedgerStoreError) in try LedgerFile(path, access) }
    }

    /// Does `work` on a thread that may be held up.
    static func offThePool<Value: Sendable>(
        _ work: @escaping @Sendable () throws(LedgerStoreError) -> Value
    ) async throws(LedgerStoreError) -> Value {
        let result: Result<Value, LedgerStoreError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do throws(LedgerStoreError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Does `work` on the queue.
    ///
    /// A cancelled task waits for it all the same: what is stored must be known.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerTables) throws -> Value
    ) async throws(LedgerStoreError) -> Value {
        let result: Result<Value, LedgerStoreError> = await withCheckedContinuation { continuation in
            queue.asyncWriteWithoutTransaction { [self] _ in
                guard let tables else {
                    continuation.resume(returning: .failure(LedgerStoreError(.closed, "\(path): it was closed")))
                    return
                }
                do {
                    continuation.resume(returning: .success(try work(tables)))
                } catch {
                    continuation.resume(returning: .failure(storeError(error, path, tables.connection)))
                }
            }
        }
        return try result.get()
    }

    /// Closes the connection, and only then lets others have the file.
    func close() throws(LedgerStoreError) {
        defer { lock?.release() }
        do {
            queue.inDatabase { _ in tables = nil }
            try queue.close()
        } catch {
            throw storeError(error, path, nil)
        }
    }
}
#endif
