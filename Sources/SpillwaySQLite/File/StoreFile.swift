#if SQLiteSupport
internal import Dispatch
internal import GRDB
internal import GRDBSQLite
internal import SpillwayCore

/// What for a file is opened.
enum FileAccess: Sendable {
    case read
    case write(SQLiteLedgerStore.Synchronous)
}

/// The tables of an open file, with what was prepared for them, to be touched on the queue of the connection alone.
protocol FileTables: AnyObject, SendableMetatype {
    /// What a connection to such a file is called.
    static var label: String { get }
    /// Whether one process alone may write it; if not, others are kept away only while it is being opened.
    static var isExclusive: Bool { get }
    var connection: OpaquePointer { get }

    init(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws
}

/// A connection to a file, whose work is done one piece after the other on a queue of its own.
final class StoreFile<Tables: FileTables>: Sendable {
    private let path: String
    private let queue: DatabaseQueue
    private let lock: FileLock?
    /// What was prepared, touched on the queue alone; nil: closed.
    nonisolated(unsafe) private var tables: Tables?

    private init(_ path: String, _ access: FileAccess) throws(StoreError) {
        self.path = path
        var configuration = Configuration()
        configuration.label = Tables.label
        configuration.busyMode = .timeout(5)
        switch access {
        case .read:
            lock = nil
            configuration.readonly = true
        case .write:
            lock = try FileLock(path, waits: !Tables.isExclusive)
        }
        // Where it throws, the lock goes with this.
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            tables = try queue.inDatabase { db in
                guard let connection = db.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
                do {
                    return try Tables(connection, path, access)
                } catch {
                    throw storeError(error, path, connection)
                }
            }
        } catch {
            throw storeError(error, path, nil)
        }
        if !Tables.isExclusive { lock?.release() }
    }

    /// Opens the file, not on the caller's thread.
    static func open(_ path: String, _ access: FileAccess) async throws(StoreError) -> StoreFile {
        try await offThePool { () throws(StoreError) in try StoreFile(path, access) }
    }

    /// Does `work` on a thread that may be held up.
    private static func offThePool<Value: Sendable>(
        _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do throws(StoreError) {
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
        _ work: @escaping @Sendable (Tables) throws -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            queue.asyncWriteWithoutTransaction { [self] _ in
                guard let tables else {
                    continuation.resume(returning: .failure(StoreError(.closed, "\(path): it was closed")))
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

    /// Closes the connection, not on the caller's thread, and only then lets others have the file.
    func close() async throws(StoreError) {
        try await Self.offThePool { [self] () throws(StoreError) in try closeNow() }
    }

    /// Closes it a little later: closing writes, and is nothing for the thread of whoever was the last to know the store.
    func closeLater() { DispatchQueue.global().async { [self] in try? closeNow() } }

    private func closeNow() throws(StoreError) {
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
