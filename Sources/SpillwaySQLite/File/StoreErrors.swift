#if SQLiteSupport
internal import CostLedger
internal import GRDB
internal import GRDBSQLite
#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// What `error` means for a ledger whose file is at `path`.
func storeError(_ error: any Error, _ path: String, _ connection: OpaquePointer?) -> LedgerStoreError {
    if let known = error as? LedgerStoreError { return known }
    guard let error = error as? DatabaseError else { return LedgerStoreError(.other, "\(path): \(error)") }
    let system = connection.map { sqlite3_system_errno($0) } ?? 0
    let text = "\(path): \(error.message ?? "SQLite says nothing") (SQLite \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_FULL: return LedgerStoreError(.full, text)
    case .SQLITE_IOERR where [ENOSPC, EDQUOT, EFBIG].contains(system):
        return LedgerStoreError(.full, "\(text): \(String(cString: strerror(system)))")
    case .SQLITE_READONLY, .SQLITE_PERM: return LedgerStoreError(.readOnly, text)
    case .SQLITE_CANTOPEN:
        // Not all of them say why.
        let isReadable = access(path, R_OK) == 0, isWritable = access(path, W_OK) == 0
        return LedgerStoreError(isReadable && !isWritable ? .readOnly : .other, text)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return LedgerStoreError(.corrupt, text)
    case .SQLITE_BUSY, .SQLITE_LOCKED: return LedgerStoreError(.inUse, text)
    default: return LedgerStoreError(.other, text)
    }
}

/// What the system's error `code` for the file at `path` means for a ledger.
func systemError(_ code: Int32, _ path: String) -> LedgerStoreError {
    let kind: LedgerStoreError.Kind =
        switch code {
        case EACCES, EPERM, EROFS: .readOnly
        case ENOSPC, EDQUOT, EFBIG: .full
        default: .other
        }
    return LedgerStoreError(kind, "\(path): \(String(cString: strerror(code)))")
}
#endif
