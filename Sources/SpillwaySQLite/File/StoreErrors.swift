#if SQLiteSupport
internal import GRDB
internal import GRDBSQLite
internal import SpillwayCore
#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// What `error` means for a store whose file is at `path`.
func storeError(_ error: any Error, _ path: String, _ connection: OpaquePointer?) -> StoreError {
    if let known = error as? StoreError { return known }
    guard let error = error as? DatabaseError else { return StoreError(.other, "\(path): \(error)") }
    let system = connection.map { sqlite3_system_errno($0) } ?? 0
    let text = "\(path): \(error.message ?? "SQLite says nothing") (SQLite \(error.extendedResultCode.rawValue))"
    switch error.resultCode {
    case .SQLITE_FULL: return StoreError(.full, text)
    case .SQLITE_IOERR where [ENOSPC, EDQUOT, EFBIG].contains(system):
        return StoreError(.full, "\(text): \(String(cString: strerror(system)))")
    case .SQLITE_READONLY, .SQLITE_PERM: return StoreError(.readOnly, text)
    case .SQLITE_CANTOPEN:
        // Not all of them say why.
        let isReadable = access(path, R_OK) == 0, isWritable = access(path, W_OK) == 0
        return StoreError(isReadable && !isWritable ? .readOnly : .other, text)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return StoreError(.corrupt, text)
    case .SQLITE_BUSY, .SQLITE_LOCKED: return StoreError(.inUse, text)
    default: return StoreError(.other, text)
    }
}

/// What the system's error `code` for the file at `path` means for a store.
func systemError(_ code: Int32, _ path: String) -> StoreError {
    let kind: StoreError.Kind =
        switch code {
        case EACCES, EPERM, EROFS: .readOnly
        case ENOSPC, EDQUOT, EFBIG: .full
        default: .other
        }
    return StoreError(kind, "\(path): \(String(cString: strerror(code)))")
}
#endif
