#if SQLiteSupport
internal import GRDB
internal import GRDBSQLite
internal import SpillwayCore

/// Says how a connection is to write, and refuses where it cannot.
func prepare(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws {
    if case .write(let synchronous) = access {
        guard sqlite3_db_readonly(connection, "main") == 0 else {
            throw StoreError(.readOnly, "\(path): the file may only be read")
        }
        // What it says is what it has become.
        let mode = try Statement(connection, "PRAGMA journal_mode = WAL").firstText()
        guard mode == "wal" else {
            throw StoreError(.other, "\(path): no write-ahead log can be kept there, only '\(mode ?? "")'")
        }
        try execute("PRAGMA synchronous = \(synchronous.rawValue)", connection)
    }
    try execute("PRAGMA cell_size_check = ON", connection)
}

/// Does all of `work` or nothing of it.
func inTransaction<Value>(_ connection: OpaquePointer, _ path: String, _ work: () throws -> Value) throws -> Value {
    try execute("BEGIN IMMEDIATE", connection)
    do {
        let value = try work()
        try execute("COMMIT", connection)
        return value
    } catch {
        let failure = storeError(error, path, connection)
        // Some failures have undone it already.
        if sqlite3_get_autocommit(connection) == 0 { try? execute("ROLLBACK", connection) }
        throw failure
    }
}

/// Reads as of one moment, whatever is written meanwhile.
func inSnapshot<Value>(_ connection: OpaquePointer, _ read: () throws -> Value) throws -> Value {
    try execute("BEGIN", connection)
    defer { try? execute("COMMIT", connection) }
    return try read()
}

/// Bounds a file to its present size and `pages` more, as a disk that is nearly full would; nil: nothing does.
func boundSize(pages: Int64?, _ connection: OpaquePointer) throws {
    let used = try integer("PRAGMA page_count", connection) ?? 0
    _ = try integer("PRAGMA max_page_count = \(pages.map { used + $0 } ?? 4_294_967_294)", connection)
}
#endif
