private import CSpillway

/// What a provider's answer says about its limits: how much there is, how much is left, when it is full again, and of which kind
/// the answer is.
///
/// Reads OpenAI, Azure OpenAI, Anthropic, Gemini and Vertex, Bedrock, and plain HTTP. What is absent stays nil. What cannot be
/// read is passed over and counted in ``unreadable``.
public struct ProviderSignals: Sendable, Hashable {
    /// Whose headers to look for.
    public enum Provider: Sendable, Hashable, CaseIterable {
        /// `x-ratelimit-…`, also of the many that speak OpenAI's protocol.
        case openAI
        /// `x-ratelimit-…` with −1, −1 and 0 for what is not known.
        case azure
        /// `anthropic-ratelimit-…`, with times.
        case anthropic
        /// Gemini and Vertex: all is in the body of an error.
        case gemini
        /// Names of exceptions.
        case bedrock
        /// Plain HTTP: `Retry-After` alone.
        case other
    }

    /// What one limit says of itself.
    public struct Reading: Sendable, Hashable {
        /// How much there is when it is full.
        public var limit: Int?
        /// How much is left.
        public var remaining: Int?
        /// After how long it is full again; zero: now.
        public var reset: Duration?

        /// A reading.
        public init(limit: Int? = nil, remaining: Int? = nil, reset: Duration? = nil) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }

    /// The status code.
    public let status: Int
    /// Of which kind the answer is, and so what to do about it.
    public let kind: Kind
    /// What went wrong; none for a status below 400.
    public let cause: Outcome.Cause
    /// How long the provider asks to be left alone; nil when it does not say.
    public let retryAfter: Duration?
    /// Requests.
    public var requests: Reading?
    /// Tokens; where a project has a limit of its own, whichever of the two has less left.
    public var tokens: Reading?
    /// Tokens of prompts.
    public var inputTokens: Reading?
    /// Tokens of answers.
    public var outputTokens: Reading?
    /// How many fields were there and could not be read.
    public private(set) var unreadable = 0

    /// What the provider would say in an answer to its outcome.
    public var outcome: Outcome { .of(cause, retryAfter: retryAfter) }

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - provider: Whose headers to look for.
    ///   - status: The status code.
    ///   - headers: The value of the header of a lower-case name; nil when there is none.
    ///   - body: The body of an error; the first 16 KiB are looked at. Not needed below 400.
    ///   - now: Seconds since 1970, for an answer without a `Date` header; the machine's clock by default.
    public init(
        _ provider: Provider, status: Int, headers: (String) -> String?, body: some Sequence<UInt8> = [],
        now: Double? = nil
    ) {
        self.status = status
        let wall = now ?? Double(spw_wall()) / 1e9
        // The answer's own clock, where it has one: whether a reset is past, is for it to say.
        let date = headers("date").flatMap { HTTPDate.seconds($0) }.map(Double.init) ?? wall
        let answer = status < 400 ? HTTPAnswer(status: status) : HTTPAnswer(status: status, body: body)
        cause = answer.cause
        kind = Kind(answer.cause)
        let read = withoutActuallyEscaping(headers) { headers in
            var reader = LimitReader(headers: headers, now: date)
            let readings = reader.readings(provider)
            return (readings, reader.retryAfter(answer), reader.unreadable)
        }
        (requests, tokens, inputTokens, outputTokens) = read.0
        (retryAfter, unreadable) = (read.1, read.2)
    }
}

extension ProviderSignals.Reading {
    /// Whichever has the smaller part left.
    func scarcer(_ other: Self) -> Self {
        guard let remaining, let limit, let left = other.remaining, let most = other.limit else {
            return remaining == nil ? other : self
        }
        // By full width: a provider may say any number.
        let (own, its) = (remaining.multipliedFullWidth(by: most), left.multipliedFullWidth(by: limit))
        return its.high < own.high || (its.high == own.high && its.low < own.low) ? other : self
    }
}
