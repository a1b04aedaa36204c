#if HTTPClientSupport
internal import AsyncHTTPClient
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import NIOCore
internal import NIOHTTP1
public import Spillway

/// Asks models through the API that OpenAI made common, under a policy.
///
/// The first text of a stream is the point of no return. Until it has come the policy may try again, and its gates are
/// settled with how that part went; what goes wrong later is thrown by the ``ChatStream`` and seen by no breaker.
/// Likewise a policy's deadline bounds the time to the first text, and ``stall`` each silence after it.
public struct ChatClient: Sendable, CustomStringConvertible {
    /// The longest that one attempt may take to a whole answer, or to the first text of a stream.
    public let timeout: Duration
    /// The longest that a stream may be without new text; comments that keep the connection alive are not text.
    public let stall: Duration

    private let url: String
    private let authorization: String?
    private let http: PolicyHTTPClient

    /// The most bytes of an answer that does not stream.
    private static let bodyLimit = 16 << 20

    /// A client.
    ///
    /// - Parameters:
    ///   - baseURL: Where the API lies, with its version, such as `https://api.openai.com/v1`.
    ///   - apiKey: Sent as bearer token; none by default. It appears in no error and no description.
    ///   - http: Sends the requests, under its policy.
    ///   - timeout: The longest that one attempt may take to a whole answer, or to the first text; 60 s by default, and
    ///     never longer than the policy's deadline allows.
    ///   - stall: The longest that a stream may be without new text; 30 s by default.
    /// - Throws: `ConfigurationError` for a URL that is none, a key that no header can carry, or a time below 1 ms.
    public init(
        baseURL: String, apiKey: String? = nil, http: PolicyHTTPClient, timeout: Duration = .seconds(60),
        stall: Duration = .seconds(30)
    ) throws(ConfigurationError) {
        let check = Validation("ChatClient")
        let parts = URL(string: baseURL)
        let usable =
            ["http", "https"].contains(parts?.scheme?.lowercased()) && parts?.host?.isEmpty == false
            && parts?.query == nil && parts?.fragment == nil && parts?.password == nil
        try check.require(
            usable, "baseURL", "'\(parts?.password == nil ? baseURL : "(with a password)")'",
            "an http or https URL with a host and no password, query or fragment")
        try check.require(
            apiKey?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true, "apiKey", "(hidden)", "visible ASCII text")
        try check.duration(timeout, "timeout", atLeast: .milliseconds(1))
        try check.duration(stall, "stall", atLeast: .milliseconds(1))
        url = (baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL) + "/chat/completions"
        authorization = apiKey.map { "Bearer \($0)" }
        self.http = http
        self.timeout = timeout
        self.stall = stall
    }

    /// Where the client asks; never the key.
    public var description: String { "ChatClient(\(url))" }

    /// Asks for a whole answer.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - key: Whom the call is for, such as a tenant; nobody by default.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func complete(
        _ request: ChatRequest, key: String? = nil
    ) async throws(PolicyError<UpstreamError>) -> ChatCompletion {
        let message = try post(request, streaming: false)
        return try await http.policy.run(request.call(for: key)) {
            (attempt) async throws(UpstreamError) -> ChatCompletion in
            try await within(attempt) { (http, cutoff) async throws(UpstreamError) -> ChatCompletion in
                let body = try await Self.body(of: try await http.send(message, within: cutoff))
                return try Self.decode(body)
            }
        }
    }

    /// Asks for an answer that streams, and returns when its first text has come.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - key: Whom the call is for, such as a tenant; nobody by default.
    /// - Throws: `PolicyError` with the last attempt's ``UpstreamError`` in it.
    public func stream(
        _ request: ChatRequest, key: String? = nil
    ) async throws(PolicyError<UpstreamError>) -> ChatStream {
        let message = try post(request, streaming: true)
        let reader = try await http.policy.run(request.call(for: key)) {
            (attempt) async throws(UpstreamError) -> ChatReader in
            try await within(attempt) { (http, cutoff) async throws(UpstreamError) -> ChatReader in
                let response = try await http.send(message, within: cutoff)
                try await Self.checkStreams(response)
                let reader = ChatReader(response.body)
                try await reader.readFirst()
                return reader
            }
        }
        return ChatStream(reader, stall: stall, time: http.time)
    }

    /// Runs one attempt, bounded in time.
    private func within<Value: Sendable>(
        _ attempt: Attempt,
        _ body: @escaping @Sendable (PolicyHTTPClient, Cutoff) async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        let http = http
        let cutoff = http.cutoff(of: attempt, timeout)
        return try await cutoff.run(or: "no answer in time") { () async throws(UpstreamError) -> Value in
            try await body(http, cutoff)
        }
    }

    private func post(
        _ request: ChatRequest, streaming: Bool
    ) throws(PolicyError<UpstreamError>) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: url)
        message.method = .POST
        message.headers = ["content-type": "application/json"]
        message.headers.add(name: "accept", value: streaming ? "text/event-stream" : "application/json")
        if let authorization { message.headers.add(name: "authorization", value: authorization) }
        do {
            let body = try JSONEncoder().encode(ChatRequest.Wire(request: request, streaming: streaming))
            message.body = .bytes(ByteBuffer(bytes: body))
        } catch {
            throw .operation(
                UpstreamError("the request is no JSON", .neutral(.invalidRequest), underlying: error))
        }
        return message
    }

    /// Refuses an answer that says itself that it does not stream.
    private static func checkStreams(_ response: HTTPClientResponse) async throws(UpstreamError) {
        let type = response.headers.first(name: "content-type")?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else { return }
        let body = try await body(of: response)
        throw ProviderError(body).map { .from($0, in: body) } ?? .malformed("a stream was asked for, JSON came")
    }

    private static func body(of response: HTTPClientResponse) async throws(UpstreamError) -> [UInt8] {
        do {
            return Array(try await response.body.collect(upTo: bodyLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .malformed("the answer is larger than \(bodyLimit) bytes")
        } catch {
            throw .from(transport: error)
        }
    }

    private static func decode(_ body: [UInt8]) throws(UpstreamError) -> ChatCompletion {
        let answer: ProviderAnswer<ChatCompletion>
        do {
            answer = try JSONDecoder().decode(ProviderAnswer<ChatCompletion>.self, from: Data(body))
        } catch {
            throw .malformed("the answer is not what the protocol allows", underlying: error)
        }
        switch answer {
        case .body(let completion): return completion
        case .error(let error): throw .from(error, in: body)
        }
    }
}
#endif
