/// A valid chat completion request.
struct ChatCall: Sendable {
    let prompt: Prompt
    let maxTokens: Int
    let streamed: Bool
    let includesUsage: Bool

    /// Reads a request body, throwing an ``APIError`` that names the first bad field.
    init(_ body: JSONValue, options: FleetOptions) throws {
        let fields = try JSONFields(body)
        try fields.requireModel(options.model)
        prompt = Prompt(try Self.contents(fields), blockSize: options.blockSize)
        let limits = try [fields.positive("max_tokens"), fields.positive("max_completion_tokens")]
        maxTokens = limits.compactMap(\.self).min() ?? 128
        streamed = try fields.bool("stream") ?? false
        includesUsage =
            try fields.values["stream_options"]
            .map { try JSONFields($0, path: "stream_options").bool("include_usage") ?? false } ?? false
        try prompt.requireFit(in: options.contextLimit, generating: maxTokens)
    }

    /// The text of all messages, one after the other.
    private static func contents(_ fields: JSONFields) throws -> String {
        let messages = try fields.required("messages", fields.values["messages"])
        guard case .array(let items) = messages, !items.isEmpty else {
            throw fields.invalid("messages", "must be an array of at least one message")
        }
        return try items.enumerated().map { index, item in
            let message = try JSONFields(item, path: "messages[\(index)]")
            _ = try message.required("role", message.string("role"))
            return try content(of: message)
        }.joined()
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
