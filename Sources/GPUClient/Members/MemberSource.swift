/// Who knows the members of a fleet: a list, a file, DNS, an orchestrator.
public protocol MemberSource: Sendable {
    /// All members, as they are now.
    ///
    /// - Throws: Whatever keeps it from knowing; the members then stay as they are.
    func members() async throws -> [Member]
}

/// Members in text, such as that of a file, read anew each time.
public struct TextMembers: MemberSource {
    private let read: @Sendable () async throws -> String

    /// Members in the text that `read` gives, in the format of ``MemberList``.
    public init(_ read: @escaping @Sendable () async throws -> String) { self.read = read }

    /// The members in the text as it is now.
    ///
    /// - Throws: What reading throws, and ``MemberListError``.
    public func members() async throws -> [Member] { try MemberList(try await read()).members }
}

/// Members that never change.
public struct FixedMembers: MemberSource {
    private let list: [Member]

    /// These members.
    public init(_ members: [Member]) { list = members }

    /// These members.
    public func members() async throws -> [Member] { list }
}
