#if HTTPClientSupport
/// A piece of an answer that streams.
public struct ChatChunk: Sendable, Hashable, Decodable {
    /// The provider's name for the answer; empty where it gives none.
    public let id: String
    /// The model that answers; empty where the provider does not say.
    public let model: String
    /// What was added to each answer; none in the chunk that carries the usage.
    public let choices: [Choice]
    /// What the answer took; in the last chunk, where the provider says it.
    public let usage: Usage?

    /// What was added to one answer.
    public struct Choice: Sendable, Hashable, Decodable {
        /// What was added.
        public let delta: Delta
        /// Why the answer ended, such as `stop` or `length`; nil while it goes on.
        public let finishReason: String?

        private enum CodingKeys: String, CodingKey {
            case delta
            case finishReason = "finish_reason"
        }

        /// Reads a choice; one without a delta adds nothing.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            delta = try fields.decodeIfPresent(Delta.self, forKey: .delta) ?? Delta()
            let reason = try fields.decodeIfPresent(String.self, forKey: .finishReason)
            finishReason = reason == "" ? nil : reason
        }
    }

    /// An addition to an answer.
    public struct Delta: Sendable, Hashable, Decodable {
        /// Who speaks; in the first chunk.
        public var role: String?
        /// More text.
        public var content: String?
        /// More of what the model thinks before it answers, where the engine shows it.
        public var reasoning: String?

        /// Adds nothing.
        init() {}

        private enum CodingKeys: String, CodingKey {
            case role, content, reasoning
            case reasoningContent = "reasoning_content"
        }

        /// Reads an addition.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            role = try fields.decodeIfPresent(String.self, forKey: .role)
            content = try fields.decodeIfPresent(String.self, forKey: .content)
            reasoning =
                try fields.decodeIfPresent(String.self, forKey: .reasoningContent)
                ?? fields.decodeIfPresent(String.self, forKey: .reasoning)
        }
    }

    /// The text that was added to the first answer.
    public var content: String { choices.first?.delta.content ?? "" }

    /// Whether the chunk brings the reader any further.
    var carriesText: Bool {
        choices.contains { $0.delta.content?.isEmpty == false || $0.delta.reasoning?.isEmpty == false }
    }

    /// Whether an answer ends with this chunk.
    var finishes: Bool { choices.contains { $0.finishReason != nil } }

    private enum CodingKeys: String, CodingKey { case id, model, choices, usage }

    /// Reads a chunk, which must have choices, if only an empty list.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decodeIfPresent(String.self, forKey: .id) ?? ""
        model = try fields.decodeIfPresent(String.self, forKey: .model) ?? ""
        choices = try fields.decode([Choice].self, forKey: .choices)
        usage = try fields.decodeIfPresent(Usage.self, forKey: .usage)
    }
}
#endif
