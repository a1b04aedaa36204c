#if HTTPClientSupport
public import Spillway

/// What to ask a model for.
public struct ChatRequest: Sendable, Hashable, Encodable {
    /// The model, as the provider calls it.
    public var model: String
    /// The conversation so far.
    public var messages: [ChatMessage]
    /// The most tokens to generate; nil: as many as the provider allows.
    ///
    /// Set it where a gate counts tokens or money: without it the call counts as one that generates what ``ChatClient`` was
    /// told to assume, which is nothing by default.
    public var maxTokens: Int?
    /// How freely to choose words, from 0 to 2; nil: the provider's own default.
    public var temperature: Double?
    /// The share of likely words to choose from, above 0 and at most 1; nil: the provider's own default.
    public var topP: Double?
    /// Texts that end the answer.
    public var stop: [String]?
    /// Makes the choice of words repeatable, where the provider can.
    public var seed: Int?

    /// A request.
    public init(
        model: String, messages: [ChatMessage], maxTokens: Int? = nil, temperature: Double? = nil,
        topP: Double? = nil, stop: [String]? = nil, seed: Int? = nil
    ) {
        self.model = model
        self.messages = messages
        self.maxTokens = maxTokens
        self.temperature = temperature
        self.topP = topP
        self.stop = stop
        self.seed = seed
    }

    private enum CodingKeys: String, CodingKey {
        case model, messages, temperature, stop, seed
        case maxTokens = "max_tokens"
        case topP = "top_p"
    }

    /// What gates are told: a token for every four bytes of the prompt, and ``maxTokens``.
    ///
    /// It may be repeated, since asking a model twice does no more than asking it once, at twice the price.
    ///
    /// - Parameters:
    ///   - key: Whom the call is for, such as a tenant; nil: nobody in particular.
    ///   - payer: Who pays for it, such as an `Account` or a `Bill`; nil: nobody in particular.
    ///   - streams: Whether the answer comes in pieces; by default it does not.
    ///   - assumedOutput: How many tokens are generated at most where ``maxTokens`` does not say; 0 by default.
    public func call(
        for key: String? = nil, payer: (any Payer)? = nil, streams: Bool = false, assumedOutput: Int = 0
    ) -> Call {
        let bytes = messages.reduce(0) { $0 + $1.content.utf8.count }
        return Call(
            tokens: .estimate(input: max(1, bytes / 4), maxOutput: maxTokens ?? assumedOutput), key: key,
            payer: payer, idempotency: .idempotent, streams: streams)
    }

    /// The request as it goes over the wire.
    struct Wire: Encodable {
        let request: ChatRequest
        let streaming: Bool

        private enum Key: String, CodingKey {
            case stream
            case options = "stream_options"
            case includeUsage = "include_usage"
        }

        func encode(to encoder: any Encoder) throws {
            try request.encode(to: encoder)
            guard streaming else { return }
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(true, forKey: .stream)
            var options = fields.nestedContainer(keyedBy: Key.self, forKey: .options)
            try options.encode(true, forKey: .includeUsage)
        }
    }
}
#endif
