#if SQLiteSupport
internal import GRDB
internal import GRDBSQLite

/// A prepared statement, bound by position without a detour: ten of GRDB's cost what a hundred of these do.
final class Statement {
    private let raw: OpaquePointer

    init(_ connection: OpaquePointer, _ sql: String) throws {
        var raw: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &raw, nil)
        guard code == SQLITE_OK, let raw else { throw failure(of: connection, code, sql) }
        self.raw = raw
    }

    deinit { sqlite3_finalize(raw) }

    // MARK: - Parameters, from 1

    @inline(__always)
    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(raw, index, value) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    @inline(__always)
    func bindNull(_ index: Int32) { sqlite3_bind_null(raw, index) }

    /// Binds a text, which SQLite copies.
    func bind(_ index: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            let start = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
            let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            _ = sqlite3_bind_text(raw, index, start, Int32(bytes.count), copied)
        }
    }

    func bind(_ index: Int32, _ number: Double) { sqlite3_bind_double(raw, index, number) }

    func bind(_ index: Int32, _ text: String?) {
        if let text { bind(index, text) } else { bindNull(index) }
    }

    /// Binds bytes, which SQLite copies.
    func bind(_ index: Int32, _ bytes: [UInt8]) {
        // No address says that there is nothing, and not that there are no bytes.
        guard !bytes.isEmpty else {
            sqlite3_bind_zeroblob(raw, index, 0)
            return
        }
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bytes.withUnsafeBytes { _ = sqlite3_bind_blob64(raw, index, $0.baseAddress, UInt64($0.count), copied) }
    }

    // MARK: - Running

    /// Runs a statement that returns no rows.
    @inline(__always)
    func run() throws {
        let code = sqlite3_step(raw)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failed(code) }
        sqlite3_reset(raw)
    }

    /// Calls `row` for each row.
    func rows(_ row: (Statement) throws -> Void) throws {
        defer { sqlite3_reset(raw) }
        while true {
            switch sqlite3_step(raw) {
            case SQLITE_ROW: try row(self)
            case SQLITE_DONE: return
            case let code: throw failed(code)
            }
        }
    }

    /// The first column of the first row; nil: there is no row, or nothing in it.
    func integer() throws -> Int64? {
        defer { sqlite3_reset(raw) }
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return optional(0)
        case SQLITE_DONE: return nil
        case let code: throw failed(code)
        }
    }

    /// The first column of the first row as a text; nil: there is none.
    func firstText() throws -> String? {
        var first: String?
        try rows { first = first ?? $0.text(0) }
        return first
    }

    private func failed(_ code: Int32) -> DatabaseError {
        // Made before the reset, which may change what the connection says.
        let failure = failure(of: sqlite3_db_handle(raw), code, nil)
        sqlite3_reset(raw)
        return failure
    }

    // MARK: - Columns, from 0

    @inline(__always)
    subscript(column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }

    func optional(_ column: Int32) -> Int64? {
        sqlite3_column_type(raw, column) == SQLITE_NULL ? nil : sqlite3_column_int64(raw, column)
    }

    func double(_ column: Int32) -> Double { sqlite3_column_double(raw, column) }

    func bytes(_ column: Int32) -> [UInt8] {
        let start = sqlite3_column_blob(raw, column)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column))))
    }

    /// All of it, also behind a NUL.
    func text(_ column: Int32) -> String? {
        sqlite3_column_text(raw, column).map { start in
            String(
                decoding: UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column))),
                as: UTF8.self)
        }
    }
}

private func failure(of connection: OpaquePointer?, _ code: Int32, _ sql: String?) -> DatabaseError {
    let extended = sqlite3_extended_errcode(connection)
    return DatabaseError(
        resultCode: ResultCode(rawValue: extended & 0xff == code & 0xff ? extended : code),
        message: sqlite3_errmsg(connection).map { String(cString: $0) }, sql: sql)
}

/// Runs statements that are run once.
func execute(_ sql: String, _ connection: OpaquePointer) throws {
    let code = sqlite3_exec(connection, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(of: connection, code, sql) }
}

/// The number that a statement which is run once returns.
func integer(_ sql: String, _ connection: OpaquePointer) throws -> Int64? {
    try Statement(connection, sql).integer()
}
#endif
