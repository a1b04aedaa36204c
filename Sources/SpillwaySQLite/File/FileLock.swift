#if SQLiteSupport
internal import SpillwayCore
#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// Keeps others away from a file: a lock on a file beside it, which the system frees when the process ends.
///
/// Not on the file itself: SQLite's own locks would be lost when that is closed.
final class FileLock: Sendable {
    private let descriptor: Locked<Int32>

    /// Locks; where another has it, waits until it is free, or refuses.
    init(_ path: String, waits: Bool = false) throws(StoreError) {
        let place = Self.resolved(path) + ".lock"
        let descriptor = open(place, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemError(errno, place) }
        while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            let owner = Self.owner(descriptor)
            Self.close(descriptor)
            guard code == EWOULDBLOCK else { throw systemError(code, place) }
            throw StoreError(.inUse, "\(path): another ledger has it open, in process \(owner)")
        }
        // For whoever looks; that it is locked is what counts.
        let line = "\(getpid())\n"
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, line, line.utf8.count, 0)
        self.descriptor = Locked(descriptor)
    }

    deinit { release() }

    /// Lets others have the file.
    ///
    /// Closing alone would not: a process that was forked just now has the descriptor, and with it the lock, until it runs its program.
    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 {
                _ = flock(descriptor, LOCK_UN)
                Self.close(descriptor)
            }
            descriptor = -1
        }
    }

    /// One name for a file that is reached in several ways.
    private static func resolved(_ path: String) -> String {
        guard let name = realpath(path, nil) else { return path }
        defer { free(name) }
        return String(cString: name)
    }

    private static func owner(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { $0 != 10 }
        return digits.isEmpty ? "(unknown)" : String(decoding: digits, as: UTF8.self)
    }

    private static func close(_ descriptor: Int32) {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
        _ = Glibc.close(descriptor)
        #else
        _ = Musl.close(descriptor)
        #endif
    }
}
#endif
