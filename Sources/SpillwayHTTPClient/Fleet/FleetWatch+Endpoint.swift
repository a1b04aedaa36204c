#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import Spillway

extension FleetWatch {
    /// What a probe asks an engine to do, by the endpoint of the API that OpenAI made common.
    ///
    /// The least that its models can do: one token, or the vector of one word.
    public struct Endpoint: Sendable, Hashable {
        private enum Kind { case chat, completions, embeddings }

        private let kind: Kind

        /// A chat, at `chat/completions`: a choice, and not one of no token.
        public static let chat = Endpoint(kind: .chat)
        /// A text to go on with, at `completions`, for models that have no template for chats.
        public static let completions = Endpoint(kind: .completions)
        /// A vector, at `embeddings`: one, and not all zeros.
        ///
        /// The time to it is that to the first token.
        public static let embeddings = Endpoint(kind: .embeddings)
    }
}

extension FleetWatch.Endpoint {
    /// Where it lies, after the path of the API.
    var path: String {
        switch kind {
        case .chat: "/chat/completions"
        case .completions: "/completions"
        case .embeddings: "/embeddings"
        }
    }

    private struct Question: Encodable {
        let model: String?
        var messages: [ChatMessage]?
        var prompt: String?
        var input: [String]?
        var limit: Int?
        var temperature: Int?

        private enum CodingKeys: String, CodingKey {
            case model, messages, prompt, input, temperature
            case limit = "max_tokens"
        }
    }

    /// What is asked; without a name most engines take the one model that they have.
    func question(model: String?) throws -> [UInt8] {
        var question = Question(model: model)
        switch kind {
        case .chat: question.messages = [ChatMessage(role: "user", content: "Hi")]
        case .completions: question.prompt = "Hi"
        case .embeddings: question.input = ["Hi"]
        }
        if kind != .embeddings { (question.limit, question.temperature) = (1, 0) }
        return Array(try JSONEncoder().encode(question))
    }

    private struct TextCompletion: Decodable {
        struct Choice: Decodable { let text: String }

        let choices: [Choice]
        let usage: Usage?

        private enum CodingKeys: String, CodingKey { case choices, usage }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            choices = try fields.decode([Choice].self, forKey: .choices)
            usage = (try? fields.decodeIfPresent(OpenAIUsage.self, forKey: .usage))?.usage
        }
    }

    /// Returns when an answer shows that the engine has done it.
    func check(_ answer: [UInt8]) throws(UpstreamError) {
        let isDone: Bool
        switch kind {
        case .chat:
            let answer = try APIEndpoint.decode(ChatCompletion.self, from: answer)
            isDone = !answer.choices.isEmpty && answer.usage?.answerTokens != 0
        case .completions:
            let answer = try APIEndpoint.decode(TextCompletion.self, from: answer)
            isDone = !answer.choices.isEmpty && answer.usage?.answerTokens != 0
        case .embeddings:
            let vectors = try APIEndpoint.decode(Embeddings.self, from: answer).vectors
            isDone = vectors.count == 1 && vectors[0].contains { $0 != 0 }
        }
        guard isDone else { throw .malformed(kind == .embeddings ? "no vector was made" : "no token was made") }
    }
}
#endif
