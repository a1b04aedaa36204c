import Foundation

/// Writes one chat completion in OpenAI's format, whole or as stream events.
struct ChatAnswer: Sendable {
    let id: String
    let model: String
    let promptTokens: Int
    let completionTokens: Int
    let finishReason: String
    private let created = Int(Date().timeIntervalSince1970)

    /// An answer of `completionTokens` tokens.
    init(id: String, model: String, promptTokens: Int, completionTokens: Int, finishReason: String = "stop") {
        self.id = id
        self.model = model
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.finishReason = finishReason
    }

    /// The end of every stream.
    static let done = "data: [DONE]\n\n"

    /// An error in place of a chunk.
    static let failure = event([
        "error": [
            "message": "The server had an error while processing the request", "type": "server_error", "param": .null,
            "code": .null,
        ]
    ])

    /// A server-sent event that carries a value.
    static func event(_ value: JSONValue) -> String {
        "data: \(value.text)\n\n"
    }

    /// The tokens spent.
    var usage: JSONValue {
        [
            "prompt_tokens": .count(promptTokens),
            "completion_tokens": .count(completionTokens),
            "total_tokens": .count(promptTokens + completionTokens),
        ]
    }

    /// The answer of a call that does not stream.
    func whole(_ content: String) -> JSONValue {
        let message: JSONValue = ["role": "assistant", "content": .string(content)]
        let choice: JSONValue = [
            "index": 0, "message": message, "finish_reason": .string(finishReason), "logprobs": .null,
        ]
        return body("chat.completion", choices: [choice], usage: usage)
    }

    /// The chunk that opens a stream.
    var opening: JSONValue {
        chunk(["role": "assistant", "content": ""])
    }

    /// A chunk of content.
    func content(_ text: String) -> JSONValue {
        chunk(["content": .string(text)])
    }

    /// The chunk that says that the answer is complete.
    var closing: JSONValue {
        chunk([:], finish: .string(finishReason))
    }

    /// The chunk without choices that carries the usage.
    var usageChunk: JSONValue {
        body("chat.completion.chunk", choices: [], usage: usage)
    }

    private func chunk(_ delta: JSONValue, finish: JSONValue = .null) -> JSONValue {
        let choice: JSONValue = ["index": 0, "delta": delta, "finish_reason": finish, "logprobs": .null]
        return body("chat.completion.chunk", choices: [choice])
    }

    private func body(_ object: String, choices: [JSONValue], usage: JSONValue? = nil) -> JSONValue {
        var fields: [String: JSONValue] = [
            "id": .string(id),
            "object": .string(object),
            "created": .count(created),
            "model": .string(model),
            "choices": .array(choices),
        ]
        fields["usage"] = usage
        return .object(fields)
    }
}
