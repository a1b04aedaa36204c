#if HTTPClientSupport
internal import NIOPosix
public import Spillway
#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Members in a file in the format of `MemberList`, read anew each time.
///
/// Every line ends with a newline, also the last: a list without it is one of which the end is missing, and in whose last line
/// `:8000` may have become `:80`. Replace the file by renaming another one over it, so that no half of it is ever read.
public struct FileMembers: MemberSource {
    private let path: String

    /// The most bytes of a list.
    private static let limit = 1 << 20

    /// The members in the file at `path`.
    public init(_ path: String) { self.path = path }

    /// The members in the file as it is now, of at most 1 MiB.
    ///
    /// - Throws: ``UnreadableFile`` for what is no such file, no UTF-8, or cut off, and `MemberListError`.
    public func members() async throws -> [Member] {
        try await NIOThreadPool.singleton.runIfActive { try current() }
    }

    /// The same on the thread of whoever calls, which waits for the disk: for a program that starts.
    ///
    /// - Throws: As ``members()``.
    public func current() throws -> [Member] {
        let bytes = try contents()
        guard bytes.last == UInt8(ascii: "\n") || bytes.isEmpty else {
            throw unreadable("its last line does not end with a newline: it may be cut off")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw unreadable("it is no UTF-8") }
        return try MemberList(text).members
    }

    private func unreadable(_ reason: String) -> UnreadableFile { UnreadableFile(path: path, reason: reason) }

    private func contents() throws(UnreadableFile) -> [UInt8] {
        // To open a pipe would wait for somebody who writes to it.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw unreadable(String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat(), bytes: [UInt8] = []
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unreadable("it is no regular file")
        }
        while bytes.count <= Self.limit {
            let most = min(64 << 10, Self.limit + 1 - bytes.count)
            var code: CInt = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
                let result = read(file, buffer.baseAddress, most)
                code = result < 0 ? errno : 0
                count = max(0, result)
            }
            guard code == 0 || code == EINTR else { throw unreadable(String(cString: strerror(code))) }
            if code == 0, chunk.isEmpty { return bytes }
            bytes += chunk
        }
        throw unreadable("it is larger than 1 MiB")
    }
}

/// A file that could not be read as a list.
public struct UnreadableFile: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where it should be.
    public let path: String
    /// Why it could not be read.
    public let reason: String

    /// The file and why, in one line.
    public var description: String { "\(path) cannot be read: \(reason)" }
}
#endif
