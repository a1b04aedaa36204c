private import CSpillway
internal import SpillwayCore

/// Who may get an answer that a cache keeps.
///
/// One tenant's answers are never given to another, unless they were kept for all.
public enum CachePartition: Sendable, Hashable {
    /// One tenant, such as `Call.key`; nil: the calls that name none, among themselves.
    case tenant(String?)
    /// Everybody: for answers in which nobody's data are.
    case shared

    /// Tells partitions apart; never 0.
    func hash(_ seed: UInt64) -> UInt64 {
        let hash =
            switch self {
            case .shared: spw_hash_integer(1, seed)
            case .tenant(nil): spw_hash_integer(2, seed)
            case .tenant(let name?): name.withBytes { spw_hash_bytes($0.baseAddress, $0.count, seed) }
            }
        return max(1, hash)
    }
}

extension String {
    /// Calls `body` with the UTF-8 text, where it lies if that is in one piece.
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        if let value = utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) { return value }
        var copy = self
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
