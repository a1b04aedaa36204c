extension JSONFields {
    /// The field `model`; throws unless it names a served model: 400 when it is missing, 404 when it is another.
    func requireModel(_ served: [String]) throws -> String {
        let model = try required("model", string("model"))
        guard served.contains(model) else {
            throw APIError(
                .notFound,
                "model: \(JSONValue.string(model).text) does not exist; this replica serves \(served)",
                param: "model",
                code: "model_not_found"
            )
        }
        return model
    }
}

extension Prompt {
    /// Throws when prompt and answer together exceed the context, in tokens.
    func requireFit(in limit: Int, generating maxTokens: Int) throws {
        // Compared this way round, a huge `maxTokens` cannot overflow.
        guard tokens <= limit, maxTokens <= limit - tokens else {
            throw APIError(
                .badRequest,
                "This model's context is \(limit) tokens: \(tokens) in the prompt and \(maxTokens) to generate exceed it",
                param: "messages",
                code: "context_length_exceeded"
            )
        }
    }
}
