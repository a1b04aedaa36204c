#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
public import Spillway

/// Asks models through the API that OpenAI made common, under a policy.
///
/// A call lasts as long as its answer, also where that streams: the policy's gates see how the whole of it went, and its
/// deadline bounds the whole of it. Until a stream has come to its `CommitPoint` the policy may try again unnoticed; what
/// becomes of a later failure, `StreamRecovery` says.
public struct ChatClient: Sendable, CustomStringConvertible {
    /// The longest that one attempt may take to a whole answer, or to the first content of a stream.
    public let timeout: Duration
    /// The longest that a stream may be without new content; comments that keep the connection alive are not content.
    public let stall: Duration

    /// How many tokens an answer is taken to have at most where its request does not say.
    public let assumedOutput: Int

    private let endpoint: APIEndpoint
    /// Whose replicas are asked; nil: the endpoint is one server's.
    private let fleet: Fleet?
    private let http: PolicyHTTPClient
    private let limits: AttemptTimeout

    /// The most bytes of an answer that does not stream.
    private static let bodyLimit = 16 << 20

    /// A client.
    ///
    /// - Parameters:
    ///   - baseURL: Where the API lies, with its version, such as `https://api.openai.com/v1`.
    ///   - apiKey: Sent as bearer token; none by default. It appears in no error and no description.
    ///   - http: Sends the requests, under its policy, and propagates the call if it does so.
    ///   - timeout: The longest that one attempt may take to a whole answer, or to the first content; 60 s by default, and
    ///     never longer than the policy's deadline allows.
    ///   - stall: The longest that a stream may be without new content; 30 s by default.
    ///   - assumedOutput: How many tokens an answer is taken to have at most where its request does not say, for gates that
    ///     count tokens or hold money; none by default.
    ///   - quota: Learns from every answer what the provider says of its limits; none by default. It refuses only where it is a gate
    ///     of the policy.
    ///   - provider: Whose headers the quota reads; OpenAI's by default.
    /// - Throws: `ConfigurationError` for a URL that is none, a key that no header can carry, or a time below 1 ms.
    public init(
        baseURL: String, apiKey: String? = nil, http: PolicyHTTPClient, timeout: Duration = .seconds(60),
        stall: Duration = .seconds(30), assumedOutput: Int = 0, quota: Quota? = nil,
        provider: ProviderSignals.Provider = .openAI
    ) throws(ConfigurationError) {
        let check = Validation("ChatClient")
        let endpoint = try APIEndpoint(baseURL, "chat/completions", apiKey: apiKey, check)
        var http = http
        http.feed = quota.map { QuotaFeed(quota: $0, provider: provider) }
        try self.init(endpoint, nil, http, timeout, stall, assumedOutput, check)
    }

    /// A client of replicas of one's own.
    ///
    /// Each attempt goes to the replica that the fleet chooses for its prompt, and not where one of the same call has failed. The
    /// fleet learns from every answer. When no replica takes a call, its attempt fails as neutral, with the fleet's `Rejection`
    /// beneath the error.
    ///
    /// - Parameters:
    ///   - fleet: Whose replicas are asked.
    ///   - path: Where the API lies at each of them; `/v1` by default.
    ///   - apiKey: Sent as bearer token; none by default. It appears in no error and no description.
    ///   - http: Sends the requests, under its policy, and propagates the call if it does so.
    ///   - timeout: As for one server.
    ///   - stall: As for one server.
    ///   - assumedOutput: As for one server.
    /// - Throws: `ConfigurationError` for a path that is none, a key that no header can carry, or a time below 1 ms.
    public init(
        fleet: Fleet, path: String = "/v1", apiKey: String? = nil, http: PolicyHTTPClient,
        timeout: Duration = .seconds(60), stall: Duration = .seconds(30), assumedOutput: Int = 0
    ) throws(ConfigurationError) {
        let check = Validation("ChatClient")
        let endpoint = try APIEndpoint(inFleet: path, "chat/completions", apiKey: apiKey, check)
        try self.init(endpoint, fleet, http, timeout, stall, assumedOutput, check)
    }

    private init(
        _ endpoint: APIEndpoint, _ fleet: Fleet?, _ http: PolicyHTTPClient, _ timeout: Duration, _ stall: Duration,
        _ assumedOutput: Int, _ check: Validation
    ) throws(ConfigurationError) {
        try check.duration(timeout, "timeout", atLeast: .milliseconds(1))
        try check.duration(stall, "stall", atLeast: .milliseconds(1))
        try check.count(assumedOutput, "assumedOutput", in: 0...1_000_000_000)
        limits = try AttemptTimeout(firstContent: timeout, stall: stall)
        self.endpoint = endpoint
        self.fleet = fleet
        self.http = http
        self.timeout = timeout
        self.stall = stall
        self.assumedOutput = assumedOutput
    }

    /// Where the client asks; never the key.
    public var description: String { "ChatClient(\(fleet.map { "fleet \($0.name), " } ?? "")\(endpoint.url))" }

    /// Asks for a whole answer.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - key: Whom the call is for, such as a tenant; nobody by default.
    ///   - payer: Who pays for it, such as an `Account` or a `Bill`; nobody in particular by default.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func complete(
        _ request: ChatRequest, key: String? = nil, payer: (any Payer)? = nil
    ) async throws(PolicyError<UpstreamError>) -> ChatCompletion {
        let message = try post(request, streaming: false)
        let call = request.call(for: key, payer: payer, assumedOutput: assumedOutput)
        let tour = fleet.map { FleetTour($0, request, call) }
        return try await http.policy.run(call) { (attempt) async throws(UpstreamError) -> ChatCompletion in
            let visit = try tour?.begin(attempt, at: http.time.now)
            do throws(UpstreamError) {
                let ask: @Sendable () async throws(UpstreamError) -> ChatCompletion = {
                    [http, timeout] () async throws(UpstreamError) in
                    try await http.within(attempt, timeout) {
                        (http, cutoff) async throws(UpstreamError) -> ChatCompletion in
                        let response = try await http.send(
                            message.request(message.body), attempt, at: visit, within: cutoff)
                        return try APIEndpoint.decode(
                            ChatCompletion.self, from: try await response.whole(upTo: Self.bodyLimit))
                    }
                }
                let answer =
                    if let visit { try await visit.untilHandedOver(time: http.time, ask) } else { try await ask() }
                attempt.used(answer.usage ?? answer.counted(promptTokens: Int(call.tokens.input)))
                visit?.settle(.success, usage: answer.usage, at: http.time.now)
                return answer
            } catch {
                attempt.failed(with: error)
                visit?.fail(attempt, with: error, at: http.time.now)
                throw error
            }
        }
    }

    /// Asks for an answer that streams, and returns when it has come to its commit point.
    ///
    /// The call goes on as long as the stream: its gates learn how the whole of it went, and its deadline bounds the whole
    /// of it.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - key: Whom the call is for, such as a tenant; nobody by default.
    ///   - payer: Who pays for it, such as an `Account` or a `Bill`; nobody in particular by default.
    ///   - commit: How much must have come before the stream is returned; the first token by default. Until then another
    ///     attempt goes unnoticed.
    ///   - recovery: What becomes of a stream that fails later; by default the reader gets the error.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func stream(
        _ request: ChatRequest, key: String? = nil, payer: (any Payer)? = nil, commit: CommitPoint = .firstToken,
        recovery: StreamRecovery = .fail
    ) async throws(PolicyError<UpstreamError>) -> ChatStream {
        let message = try post(request, streaming: true)
        let call = request.call(for: key, payer: payer, streams: true, assumedOutput: assumedOutput)
        let journal = StreamJournal(recovery, promptTokens: Int(call.tokens.input))
        let relay = StreamRelay(journal, commit: commit, limits: limits, time: http.time)
        let pieces = ChatReading.Pieces()
        let tour = fleet.map { FleetTour($0, request, call) }
        let task = Task { [http] in
            let (result, report) = await http.policy.reported(call) { (attempt) async throws(UpstreamError) in
                let visit = try tour?.begin(attempt, at: http.time.now)
                try await relay.run(attempt, at: visit) { prefill in
                    try await Self.body(of: message, prefill, attempt, visit, http)
                } to: { news in
                    // An end mark alone is no news: the reader learns of the end when the call has ended.
                    if news.contains(where: { $0.chunk != nil }) { try await pieces.send(news) }
                }
            }
            pieces.finish(result)
            return report
        }
        let reading = ChatReading(pieces, journal, task)
        let failure = await withTaskCancellationHandler {
            await pieces.opened()
        } onCancel: {
            task.cancel()
        }
        if let failure { throw failure }
        return ChatStream(reading)
    }

    /// Asks for a stream, or for the rest of one.
    private static func body(
        of message: Message, _ prefill: Prefill?, _ attempt: Attempt, _ visit: FleetVisit?, _ http: PolicyHTTPClient
    ) async throws(UpstreamError) -> HTTPClientResponse.Body {
        let body = try prefill?.body(message.body) ?? message.body
        let response = try await http.send(message.request(body), attempt, at: visit, within: http.forever)
        try await checkStreams(response)
        return response.body
    }

    /// What is sent, with a body that may yet change.
    private struct Message: Sendable {
        let head: HTTPClientRequest
        let body: [UInt8]

        func request(_ body: [UInt8]) -> HTTPClientRequest {
            var request = head
            request.body = .bytes(ByteBuffer(bytes: body))
            return request
        }
    }

    private func post(_ request: ChatRequest, streaming: Bool) throws(PolicyError<UpstreamError>) -> Message {
        let body = try APIEndpoint.encode(ChatRequest.Wire(request: request, streaming: streaming))
        return Message(head: endpoint.post(accepting: streaming ? "text/event-stream" : "application/json"), body: body)
    }

    /// Refuses an answer that says itself that it does not stream.
    private static func checkStreams(_ response: HTTPClientResponse) async throws(UpstreamError) {
        let type = response.headers.first(name: "content-type")?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else { return }
        let body = try await response.whole(upTo: bodyLimit)
        throw ProviderError(body).map { .from($0, in: body) } ?? .malformed("a stream was asked for, JSON came")
    }
}
#endif
