#if HTTPClientSupport
public import Spillway

/// A piece of an answer that streams.
public struct ChatChunk: Sendable, Hashable, Decodable {
    /// The provider's name for the answer; empty where it gives none.
    public let id: String
    /// The model that answers; empty where the provider does not say.
    public let model: String
    /// What was added to each answer; none in the chunk that carries the usage.
    public let choices: [Choice]
    /// What the answer took so far; in the last chunk, where the provider says it.
    public let usage: Usage?

    /// What was added to one answer.
    public struct Choice: Sendable, Hashable, Decodable {
        /// Which answer, from 0.
        public let index: Int
        /// What was added.
        public let delta: Delta
        /// Why the answer ended, such as `stop` or `length`; nil while it goes on.
        public let finishReason: String?

        init(index: Int, delta: Delta, finishReason: String?) {
            self.index = index
            self.delta = delta
            self.finishReason = finishReason
        }

        private enum CodingKeys: String, CodingKey {
            case index, delta
            case finishReason = "finish_reason"
        }

        /// Reads a choice; one without a delta adds nothing.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            index = try fields.decodeIfPresent(Int.self, forKey: .index) ?? 0
            delta = try fields.decodeIfPresent(Delta.self, forKey: .delta) ?? Delta()
            let reason = try fields.decodeIfPresent(String.self, forKey: .finishReason)
            finishReason = reason == "" ? nil : reason
        }
    }

    /// The text that was added to the first answer.
    public var content: String { choices.first { $0.index == 0 }?.delta.content ?? "" }

    init(id: String, model: String, choices: [Choice], usage: Usage?) {
        self.id = id
        self.model = model
        self.choices = choices
        self.usage = usage
    }

    private enum CodingKeys: String, CodingKey { case id, model, choices, usage }

    /// Reads a chunk; one without choices adds nothing.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decodeIfPresent(String.self, forKey: .id) ?? ""
        model = try fields.decodeIfPresent(String.self, forKey: .model) ?? ""
        choices = try fields.decodeIfPresent([Choice].self, forKey: .choices) ?? []
        // Figures that make no sense are no reason to lose the answer.
        usage = (try? fields.decodeIfPresent(OpenAIUsage.self, forKey: .usage))?.usage
    }
}
#endif
