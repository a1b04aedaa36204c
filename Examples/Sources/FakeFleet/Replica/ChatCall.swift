/// A valid chat completion request.
struct ChatCall: Sendable {
    let model: String
    let prompt: Prompt
    let maxTokens: Int
    let streamed: Bool
    let includesUsage: Bool
    /// The beginning of the answer, which a last message of the assistant gives; empty: there is none.
    let prefill: String
    /// Where the answer comes from: where the prefill ends in what the prompt without it would give.
    let source: TokenSource
    /// The tokens after which the answer ends by itself, of which the prefill's are taken off; nil: it never does.
    let naturalTokens: Int?

    /// Reads a request body, throwing an ``APIError`` that names the first bad field.
    init(_ body: JSONValue, options: FleetOptions) throws {
        let fields = try JSONFields(body)
        model = try fields.requireModel(options.models)
        let messages = try Self.messages(fields)
        let text = messages.map(\.content).joined()
        prompt = Prompt(text, blockSize: options.blockSize)
        let isPrefilled = messages.last?.role == "assistant"
        if try fields.bool("continue_final_message") == true, !isPrefilled {
            throw fields.invalid("continue_final_message", "needs a last message of the assistant")
        }
        prefill = isPrefilled ? messages.last?.content ?? "" : ""
        let limits = try [fields.positive("max_tokens"), fields.positive("max_completion_tokens")]
        maxTokens = limits.compactMap(\.self).min() ?? 128
        streamed = try fields.bool("stream") ?? false
        includesUsage =
            try fields.values["stream_options"]
            .map { try JSONFields($0, path: "stream_options").bool("include_usage") ?? false } ?? false

        let question = Prompt(String(text.dropLast(prefill.count)), blockSize: options.blockSize)
        var answer = TokenSource(seed: options.seed ^ question.hash)
        // A prefill that is no beginning of the answer is as good a prompt as any.
        let skipped = answer.skip(prefill)
        source = skipped == nil ? TokenSource(seed: options.seed ^ prompt.hash) : answer
        naturalTokens = try fields.positive("answer_tokens").map { max(0, $0 - (skipped ?? 0)) }
        try prompt.requireFit(in: options.contextLimit, generating: maxTokens)
    }

    /// How many tokens are generated.
    var tokens: Int { min(maxTokens, naturalTokens ?? .max) }

    /// Why the answer ends; one that is as long as it may be passes for whole, unless it was said how long it would be.
    var finishReason: String { maxTokens < naturalTokens ?? 0 ? "length" : "stop" }

    /// The role and the text of all messages.
    private static func messages(_ fields: JSONFields) throws -> [(role: String, content: String)] {
        let messages = try fields.required("messages", fields.values["messages"])
        guard case .array(let items) = messages, !items.isEmpty else {
            throw fields.invalid("messages", "must be an array of at least one message")
        }
        return try items.enumerated().map { index, item in
            let message = try JSONFields(item, path: "messages[\(index)]")
            return (try message.required("role", message.string("role")), try content(of: message))
        }
    }

    /// The text of one message: a string, the text parts of an array, or nothing.
    private static func content(of message: JSONFields) throws -> String {
        guard case .array(let parts)? = message.values["content"] else {
            return try message.string("content") ?? ""
        }
        return try parts.enumerated().map { index, part in
            try JSONFields(part, path: "\(message.name("content"))[\(index)]").string("text") ?? ""
        }.joined()
    }
}
