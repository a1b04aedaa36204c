#if HTTPClientSupport
extension ChatChunk {
    /// An addition to an answer.
    public struct Delta: Sendable, Hashable, Decodable {
        /// Who speaks; in the first chunk.
        public var role: String?
        /// More text.
        public var content: String?
        /// More of what the model thinks before it answers, where the engine shows it.
        public var reasoning: String?
        /// More of why the model will not answer.
        public var refusal: String?
        /// Whether there is more that is no text, such as a tool call or audio.
        public var hasOther = false

        /// Adds nothing.
        init() {}

        private enum CodingKeys: String, CodingKey {
            case role, content, reasoning, refusal, audio
            case reasoningContent = "reasoning_content"
            case toolCalls = "tool_calls"
            case functionCall = "function_call"
        }

        /// Reads an addition.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            role = try fields.decodeIfPresent(String.self, forKey: .role)
            reasoning = try Self.reasoning(in: fields)
            refusal = try fields.decodeIfPresent(String.self, forKey: .refusal)
            let calls = try fields.decodeIfPresent([Anything].self, forKey: .toolCalls)
            hasOther =
                calls?.isEmpty == false || Self.holds(.functionCall, in: fields) || Self.holds(.audio, in: fields)
            do {
                content = try fields.decodeIfPresent(String.self, forKey: .content)
            } catch {
                // Some send parts of content in a list.
                let parts = try fields.decode([Anything].self, forKey: .content)
                hasOther = hasOther || !parts.isEmpty
            }
        }

        /// Whether there is content of any kind.
        var isContent: Bool {
            hasOther || [content, reasoning, refusal].contains { $0?.isEmpty == false }
        }

        private static func reasoning(in fields: KeyedDecodingContainer<CodingKeys>) throws -> String? {
            if let text = try fields.decodeIfPresent(String.self, forKey: .reasoningContent) { return text }
            return try fields.decodeIfPresent(String.self, forKey: .reasoning)
        }

        private static func holds(_ key: CodingKeys, in fields: KeyedDecodingContainer<CodingKeys>) -> Bool {
            fields.contains(key) && (try? fields.decodeNil(forKey: key)) == false
        }

        /// A value that only matters because it is there.
        private struct Anything: Decodable {
            init(from decoder: any Decoder) throws {}
        }
    }
}
#endif
