#if HTTPClientSupport
/// One message of a conversation.
public struct ChatMessage: Sendable, Hashable, Codable {
    /// Who says it: `system`, `user` or `assistant`.
    public var role: String
    /// What is said; empty where a provider sends none.
    public var content: String

    /// A message.
    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }

    private enum CodingKeys: String, CodingKey { case role, content }

    /// Reads a message; one without a role is the assistant's, and without content empty.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        role = try fields.decodeIfPresent(String.self, forKey: .role) ?? "assistant"
        content = try fields.decodeIfPresent(String.self, forKey: .content) ?? ""
    }
}
#endif
