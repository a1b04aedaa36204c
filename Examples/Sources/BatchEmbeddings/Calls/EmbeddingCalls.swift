import AsyncHTTPClient
import Spillway
import SpillwayHTTPClient

/// The calls to the endpoint, under one policy: the part to copy.
struct EmbeddingCalls: Sendable {
    let counts = CallCounts()
    /// Calls in flight, and how many there may be just now.
    let limit: ConcurrencyLimit
    /// What the provider lets us ask for.
    let quota: Quota
    /// What pays; nil: nobody knows a price.
    let account: Account?
    private let settings: CallSettings
    private let client: EmbeddingClient

    /// Calls of which some have been paid for already.
    init(_ settings: CallSettings, http: HTTPClient, spent: Money = .zero) throws(ConfigurationError) {
        let budget = try RetryBudget("retries", .init(ratio: 0.2))
        let queue = try FairQueue("line", .init(longest: settings.patience))
        // Found by how long answers take, so that the endpoint always has work and never a long queue.
        let limit = try ConcurrencyLimit(
            "in flight",
            .init(.adaptive(.gradient()), in: 1...settings.concurrency, initially: min(4, settings.concurrency)))
        // What is not given is learnt from the answers' headers.
        let quota = try Quota(
            "provider",
            .init(
                requests: settings.requestsPerMinute.map { .perMinute(Double($0)) },
                tokens: settings.tokensPerMinute.map { .perMinute(Double($0)) }, learning: .withinConfigured))
        let breaker = try CircuitBreaker("endpoint")
        let account = try settings.account(spent: spent)
        let gates: [any Gate] = [limit, quota, breaker] + [account].compactMap(\.self)
        let policy = try Policy("embed", observer: counts) { () throws(ConfigurationError) in
            try Retry(
                upTo: settings.retries, backoff: .exponential(from: .milliseconds(500), cap: .seconds(30)),
                budget: budget)
            queue
            Gates(gates)
            try AttemptTimeout(settings.timeout)
        }
        client = try EmbeddingClient(
            baseURL: settings.baseURL, apiKey: settings.apiKey, http: PolicyHTTPClient(http, policy: policy),
            timeout: settings.timeout, quota: quota)
        (self.settings, self.limit, self.quota, self.account) = (settings, limit, quota, account)
    }

    /// The vectors of texts, and the tokens that these had.
    func embed(_ texts: [String]) async throws(PolicyError<UpstreamError>) -> (vectors: [[Float]], tokens: Int) {
        let request = EmbeddingRequest(model: settings.model, input: texts, dimensions: settings.dimensions)
        let answer = try await client.embed(request)
        return (answer.vectors, answer.usage?.promptTokens ?? Int(request.call().tokens.input))
    }

    /// What these calls have cost; nil: nobody knows a price.
    func spent(at now: Instant = SystemTime().now) -> Money? { account?.standings(at: now).first?.taken }
}
