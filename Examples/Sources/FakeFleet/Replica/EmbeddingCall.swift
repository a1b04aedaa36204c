/// A valid embeddings request.
struct EmbeddingCall: Sendable {
    let model: String
    let inputs: [String]
    /// All inputs as one prompt, for the engine.
    let prompt: Prompt

    /// Reads a request body, throwing an ``APIError`` that names the first bad field.
    init(_ body: JSONValue, options: FleetOptions) throws {
        let fields = try JSONFields(body)
        model = try fields.requireModel(options.models)
        let input = try fields.required("input", fields.values["input"])
        let items: [JSONValue]
        if case .array(let array) = input { items = array } else { items = [input] }
        inputs = items.compactMap { if case .string(let text) = $0 { text } else { nil } }
        guard !inputs.isEmpty, inputs.count == items.count else {
            throw fields.invalid("input", "must be a string or an array of at least one string")
        }
        prompt = Prompt(inputs.joined(), blockSize: options.blockSize)
        try prompt.requireFit(in: options.contextLimit, generating: 0)
    }
}
