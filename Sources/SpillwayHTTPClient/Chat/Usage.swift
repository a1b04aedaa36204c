#if HTTPClientSupport
/// What an answer took, in tokens.
public struct Usage: Sendable, Hashable, Decodable {
    /// Where the figures come from.
    public enum Source: String, Sendable {
        /// The provider said so.
        case provider
        /// Counted here: a token for every four bytes.
        case estimate
        /// Some of it the provider said, some was counted here.
        case mixed
    }

    /// Tokens of the prompt.
    public let promptTokens: Int
    /// Tokens that were generated.
    public let completionTokens: Int
    /// Both together, as the provider counts them.
    public let totalTokens: Int
    /// Where the figures come from.
    public private(set) var source = Source.provider

    /// What an answer took.
    public init(promptTokens: Int, completionTokens: Int, totalTokens: Int, source: Source = .provider) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.totalTokens = totalTokens
        self.source = source
    }

    /// What two attempts took together.
    public static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            promptTokens: left.promptTokens.saturatingSum(right.promptTokens),
            completionTokens: left.completionTokens.saturatingSum(right.completionTokens),
            totalTokens: left.totalTokens.saturatingSum(right.totalTokens),
            source: left.source == right.source ? left.source : .mixed)
    }

    private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case totalTokens = "total_tokens"
    }

    /// Reads figures; those that are missing count as 0, and a total as the sum of the others.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func tokens(_ key: CodingKeys) throws -> Int? {
            try fields.decodeIfPresent(Int.self, forKey: key).map { max(0, $0) }
        }
        promptTokens = try tokens(.promptTokens) ?? 0
        completionTokens = try tokens(.completionTokens) ?? 0
        totalTokens = try tokens(.totalTokens) ?? promptTokens.saturatingSum(completionTokens)
    }
}

extension Int {
    /// The sum, stopped at the end: figures of a provider may be anything.
    func saturatingSum(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
#endif
