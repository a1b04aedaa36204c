#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOCore
public import Spillway

/// Asks for the vectors of texts through the API that OpenAI made common, under a policy.
///
/// ```swift
/// let client = try EmbeddingClient(baseURL: "https://api.openai.com/v1", apiKey: key, http: PolicyHTTPClient(policy: policy))
/// let answer = try await client.embed(EmbeddingRequest(model: "text-embedding-3-small", input: ["a text", "another"]))
/// ```
public struct EmbeddingClient: Sendable, CustomStringConvertible {
    /// The longest that one attempt may take.
    public let timeout: Duration
    private let endpoint: APIEndpoint
    private let http: PolicyHTTPClient

    /// The most bytes of an answer: 2,048 vectors of 3,072 numbers in text.
    private static let bodyLimit = 160 << 20

    /// A client.
    ///
    /// - Parameters:
    ///   - baseURL: Where the API lies, with its version, such as `https://api.openai.com/v1`.
    ///   - apiKey: Sent as bearer token; none by default. It appears in no error and no description.
    ///   - http: Sends the requests, under its policy, and propagates the call if it does so.
    ///   - timeout: The longest that one attempt may take; 60 s by default, and never longer than the policy's deadline allows.
    ///   - quota: Learns from every answer what the provider says of its limits; none by default. It refuses only where it is a gate
    ///     of the policy.
    ///   - provider: Whose headers the quota reads; OpenAI's by default.
    /// - Throws: `ConfigurationError` for a URL that is none, a key that no header can carry, or a time below 1 ms.
    public init(
        baseURL: String, apiKey: String? = nil, http: PolicyHTTPClient, timeout: Duration = .seconds(60),
        quota: Quota? = nil, provider: ProviderSignals.Provider = .openAI
    ) throws(ConfigurationError) {
        let check = Validation("EmbeddingClient")
        endpoint = try APIEndpoint(baseURL, "embeddings", apiKey: apiKey, check)
        try check.duration(timeout, "timeout", atLeast: .milliseconds(1))
        var http = http
        http.feed = quota.map { QuotaFeed(quota: $0, provider: provider) }
        self.http = http
        self.timeout = timeout
    }

    /// Where the client asks; never the key.
    public var description: String { "EmbeddingClient(\(endpoint.url))" }

    /// Asks for the vectors of texts.
    ///
    /// An answer with more or fewer vectors than texts counts as malformed, and may be tried again.
    ///
    /// - Parameters:
    ///   - request: The texts, at least one.
    ///   - key: Whom the call is for, such as a tenant; nobody by default.
    ///   - payer: Who pays for it, such as an `Account` or a `Bill`; nobody in particular by default.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func embed(
        _ request: EmbeddingRequest, key: String? = nil, payer: (any Payer)? = nil
    ) async throws(PolicyError<UpstreamError>) -> Embeddings {
        let head = endpoint.post(accepting: "application/json"), body = try APIEndpoint.encode(request)
        let call = request.call(for: key, payer: payer), count = request.input.count
        return try await http.policy.run(call) { (attempt) async throws(UpstreamError) -> Embeddings in
            do throws(UpstreamError) {
                let answer = try await http.within(attempt, timeout) {
                    (http, cutoff) async throws(UpstreamError) -> Embeddings in
                    var request = head
                    request.body = .bytes(ByteBuffer(bytes: body))
                    let response = try await http.send(request, attempt, within: cutoff)
                    return try APIEndpoint.decode(
                        Embeddings.self, from: try await response.whole(upTo: Self.bodyLimit))
                }
                attempt.used(answer.usage ?? Usage(input: Int(call.tokens.input), source: .metered))
                guard answer.vectors.count == count else {
                    throw UpstreamError.malformed("\(count) texts, but \(answer.vectors.count) vectors")
                }
                return answer
            } catch {
                attempt.failed(with: error)
                throw error
            }
        }
    }
}
#endif
