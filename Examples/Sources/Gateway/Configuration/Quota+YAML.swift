import Spillway

extension Configuration {
    /// What an upstream allows, and in whose words it says so.
    struct ProviderQuota: Sendable {
        let provider: ProviderSignals.Provider
        let limits: Quota.Configuration
    }
}

extension Configuration.ProviderQuota {
    /// Reads the field `quota`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "provider", "requestsPerMinute", "tokensPerMinute", "inputTokensPerMinute", "outputTokensPerMinute",
            "requestsPerDay", "tokensPerDay")
        provider =
            try fields["provider"]?.choice([
                "openai": .openAI, "azure": .azure, "anthropic": .anthropic, "gemini": .gemini, "bedrock": .bedrock,
                "other": .other,
            ]) ?? .openAI
        func limit(_ name: String, _ span: Duration) throws -> Quota.Limit? {
            try fields.count(name, in: 1...1_000_000_000).map { Quota.Limit(Rate(Double($0), per: span)) }
        }
        let minute = Duration.seconds(60), day = Duration.seconds(86_400)
        let own = Quota.Configuration(
            requests: try limit("requestsPerMinute", minute), requestsPerDay: try limit("requestsPerDay", day),
            tokens: try limit("tokensPerMinute", minute), tokensPerDay: try limit("tokensPerDay", day),
            inputTokens: try limit("inputTokensPerMinute", minute),
            outputTokens: try limit("outputTokensPerMinute", minute))
        limits = try field.blame { () throws(ConfigurationError) in
            _ = try Quota("check", own)
            return own
        }
    }
}
