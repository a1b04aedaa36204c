#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The error object that model providers send: `{"error": {"message", "type", "code"}}`, or `{"error": "text"}`.
struct ProviderError: Decodable {
    let message: String
    private let type: String
    private let code: String

    private enum Key: String, CodingKey { case error, message, type, code }

    /// The error object in `body`; nil when there is none.
    init?(_ body: [UInt8]) {
        guard let error = try? JSONDecoder().decode(Self.self, from: Data(body)) else { return nil }
        self = error
    }

    init(from decoder: any Decoder) throws {
        let top = try decoder.container(keyedBy: Key.self)
        if let text = try? top.decode(String.self, forKey: .error) {
            message = text
            type = ""
            code = ""
            return
        }
        let error = try top.nestedContainer(keyedBy: Key.self, forKey: .error)
        message = (try? error.decode(String.self, forKey: .message)) ?? "no message"
        type = (try? error.decode(String.self, forKey: .type)) ?? ""
        let number = try? error.decode(Int.self, forKey: .code)
        code = number.map { "\($0)" } ?? (try? error.decode(String.self, forKey: .code)) ?? ""
    }

    /// The HTTP status that the error would have come with, had the answer not begun: its code where that is one, else
    /// what its type says, else 500.
    var status: Int {
        if let status = Int(code), (400...599).contains(status) { return status }
        let words = "\(type) \(code)".lowercased()
        if words.contains("rate_limit") || words.contains("insufficient_quota") { return 429 }
        if words.contains("overloaded") { return 529 }
        if words.contains("invalid_request") || words.contains("context_length") { return 400 }
        if words.contains("authentication") || words.contains("api_key") { return 401 }
        return 500
    }
}

/// What a provider answers with: what was asked for, or an error object in its place.
enum ProviderAnswer<Body: Decodable>: Decodable {
    case body(Body)
    case error(ProviderError)

    private enum Key: String, CodingKey { case error }

    init(from decoder: any Decoder) throws {
        // Some send `"error": null` with every good answer.
        let top = try decoder.container(keyedBy: Key.self)
        let failed = try top.contains(.error) && !top.decodeNil(forKey: .error)
        self = failed ? .error(try ProviderError(from: decoder)) : .body(try Body(from: decoder))
    }
}
#endif
