#if HTTPClientSupport
public import Spillway

/// A whole answer of a model.
public struct ChatCompletion: Sendable, Hashable, Decodable {
    /// The provider's name for the answer; empty where it gives none.
    public let id: String
    /// The model that answered; empty where the provider does not say.
    public let model: String
    /// The answers, one unless more were asked for.
    public let choices: [Choice]
    /// What it took; nil where the provider does not say.
    public let usage: Usage?

    /// One answer.
    public struct Choice: Sendable, Hashable, Decodable {
        /// What the model says.
        public let message: ChatMessage
        /// Why it ended, such as `stop` or `length`; nil where the provider does not say.
        public let finishReason: String?

        private enum CodingKeys: String, CodingKey {
            case message
            case finishReason = "finish_reason"
        }
    }

    /// What it took as counted here: a token for every four bytes.
    func counted(promptTokens: Int) -> Usage {
        let bytes = choices.reduce(0) { $0 + $1.message.content.utf8.count }
        return Usage(input: promptTokens, output: (bytes + 3) / 4, source: .metered)
    }

    /// The text of the first answer.
    public var content: String { choices.first?.message.content ?? "" }

    private enum CodingKeys: String, CodingKey { case id, model, choices, usage }

    /// Reads an answer, which must have choices.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decodeIfPresent(String.self, forKey: .id) ?? ""
        model = try fields.decodeIfPresent(String.self, forKey: .model) ?? ""
        choices = try fields.decode([Choice].self, forKey: .choices)
        // Figures that make no sense are no reason to lose the answer.
        usage = (try? fields.decodeIfPresent(OpenAIUsage.self, forKey: .usage))?.usage
    }
}
#endif
