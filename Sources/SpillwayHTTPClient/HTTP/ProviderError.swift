#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The error object that model providers send: `{"error": {"message", "type", "code"}}`, `{"error": "text"}`, or, from
/// some engines, `{"object": "error", "message", "type", "code"}`.
struct ProviderError: Decodable {
    let message: String
    private let type: String
    private let code: String

    private enum Key: String, CodingKey { case error, object, message, type, code }

    /// The error object in `body`; nil when there is none.
    init?(_ body: [UInt8]) {
        guard let error = try? JSONDecoder().decode(Self.self, from: Data(body)) else { return nil }
        self = error
    }

    /// The error that an event of the type `error` stands for, whatever its data.
    init(event data: String) {
        let bytes = Array(data.utf8)
        if let error = Self(bytes) {
            self = error
        } else if let fields = try? JSONDecoder().decode(Fields.self, from: Data(bytes)) {
            self = fields.error
        } else {
            (message, type, code) = (data, "", "")
        }
    }

    init(from decoder: any Decoder) throws {
        let top = try decoder.container(keyedBy: Key.self)
        if !top.contains(.error), (try? top.decode(String.self, forKey: .object)) == "error" {
            self = try Fields(from: decoder).error
        } else if let text = try? top.decode(String.self, forKey: .error) {
            (message, type, code) = (text, "", "")
        } else {
            self = try top.decode(Fields.self, forKey: .error).error
        }
    }

    private init(message: String, type: String, code: String) {
        (self.message, self.type, self.code) = (message, type, code)
    }

    /// The fields of the object.
    private struct Fields: Decodable {
        let error: ProviderError

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            let number = try? fields.decode(Int.self, forKey: .code)
            error = ProviderError(
                message: (try? fields.decode(String.self, forKey: .message)) ?? "no message",
                type: (try? fields.decode(String.self, forKey: .type)) ?? "",
                code: number.map { "\($0)" } ?? (try? fields.decode(String.self, forKey: .code)) ?? "")
        }
    }

    /// The HTTP status that the error would have come with, had the answer not begun: its code where that is one, else
    /// what its type says, else 500.
    var status: Int {
        if let status = Int(code), (400...599).contains(status) { return status }
        let words = "\(type) \(code)".lowercased()
        if words.contains("rate_limit") || words.contains("insufficient_quota") { return 429 }
        if words.contains("overloaded") { return 529 }
        let requests = ["invalid_request", "context_length", "content_filter", "content_policy"]
        if requests.contains(where: words.contains) { return 400 }
        if words.contains("authentication") || words.contains("api_key") { return 401 }
        return 500
    }
}
#endif
