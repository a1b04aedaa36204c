#if HTTPClientSupport
internal import AsyncHTTPClient
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import NIOCore
internal import NIOHTTP1
internal import Spillway

/// One endpoint of the API that OpenAI made common, and the key for it.
struct APIEndpoint: Sendable {
    /// Where it lies; for a fleet only the path, which is the same at all its replicas.
    let url: String
    private let authorization: String?

    /// An endpoint below `baseURL`, such as `chat/completions`.
    ///
    /// - Throws: `ConfigurationError` in the name of `check`'s policy for a URL that is none, or a key that no header can carry.
    init(_ baseURL: String, _ path: String, apiKey: String?, _ check: Validation) throws(ConfigurationError) {
        let parts = URL(string: baseURL)
        let usable =
            ["http", "https"].contains(parts?.scheme?.lowercased()) && parts?.host?.isEmpty == false
            && parts?.query == nil && parts?.fragment == nil && parts?.password == nil
        try check.require(
            usable, "baseURL", "'\(parts?.password == nil ? baseURL : "(with a password)")'",
            "an http or https URL with a host and no password, query or fragment")
        url = (baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL) + "/" + path
        authorization = try Self.authorization(apiKey, check)
    }

    /// An endpoint of the replicas of a fleet, below `base`, such as `/v1`.
    ///
    /// - Throws: `ConfigurationError` for a base that is no path, or a key that no header can carry.
    init(inFleet base: String, _ path: String, apiKey: String?, _ check: Validation) throws(ConfigurationError) {
        let isPath = base.utf8.allSatisfy { (0x21...0x7E).contains($0) } && !base.contains { "?#".contains($0) }
        try check.require(
            base.isEmpty || base.hasPrefix("/") && isPath, "path", "'\(base)'", "empty, or a path such as /v1")
        url = (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/" + path
        authorization = try Self.authorization(apiKey, check)
    }

    private static func authorization(_ key: String?, _ check: Validation) throws(ConfigurationError) -> String? {
        try check.require(
            key?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true, "apiKey", "(hidden)", "visible ASCII text")
        return key.map { "Bearer \($0)" }
    }

    /// A request without its body.
    func post(accepting type: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["content-type": "application/json"]
        request.headers.add(name: "accept", value: type)
        if let authorization { request.headers.add(name: "authorization", value: authorization) }
        return request
    }

    /// The body of a request.
    static func encode(_ body: some Encodable) throws(PolicyError<UpstreamError>) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(body))
        } catch {
            throw .operation(UpstreamError("the request is no JSON", .neutral(.invalidRequest), underlying: error))
        }
    }

    /// What an answer says, or the error that it bears in its place.
    static func decode<Body: Decodable>(_ type: Body.Type, from body: [UInt8]) throws(UpstreamError) -> Body {
        let answer: ProviderAnswer<Body>
        do {
            answer = try JSONDecoder().decode(ProviderAnswer<Body>.self, from: Data(body))
        } catch {
            throw .malformed("the answer is not what the protocol allows", underlying: error)
        }
        switch answer {
        case .body(let body): return body
        case .error(let error): throw .from(error, in: body)
        }
    }
}

extension HTTPClientResponse {
    /// The whole body, of at most `limit` bytes.
    func whole(upTo limit: Int) async throws(UpstreamError) -> [UInt8] {
        do {
            return Array(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .malformed("the answer is larger than \(limit) bytes")
        } catch {
            throw .from(transport: error)
        }
    }
}

extension PolicyHTTPClient {
    /// Runs one attempt, bounded in time.
    func within<Value: Sendable>(
        _ attempt: Attempt, _ timeout: Duration,
        _ body: @escaping @Sendable (PolicyHTTPClient, Cutoff) async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        let cutoff = cutoff(of: attempt, timeout)
        return try await cutoff.run(or: "no answer in time") { () async throws(UpstreamError) -> Value in
            try await body(self, cutoff)
        }
    }
}
#endif
