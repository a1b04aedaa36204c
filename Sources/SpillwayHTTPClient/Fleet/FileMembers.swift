#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import NIOPosix
public import Spillway

/// Members in a file in the format of `MemberList`, read anew each time.
///
/// Replace it by renaming another one over it, so that no half of it is ever read.
public struct FileMembers: MemberSource {
    private let path: String

    /// The members in the file at `path`.
    public init(_ path: String) { self.path = path }

    /// The members in the file as it is now.
    ///
    /// - Throws: What reading throws, also for what is no UTF-8, and `MemberListError`.
    public func members() async throws -> [Member] {
        let text = try await NIOThreadPool.singleton.runIfActive { [path] in
            try String(contentsOfFile: path, encoding: .utf8)
        }
        return try MemberList(text).members
    }
}
#endif
