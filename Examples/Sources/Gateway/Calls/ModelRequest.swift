import Foundation
import NIOCore
import Spillway

/// A client's request, checked before any upstream is asked.
struct ModelRequest: Sendable {
    /// What is asked for.
    enum Kind: Sendable {
        case chat
        case embeddings

        /// The path of the endpoint, here and at the upstreams.
        var path: String {
            switch self {
            case .chat: "/v1/chat/completions"
            case .embeddings: "/v1/embeddings"
            }
        }
    }

    let kind: Kind
    /// The model as the client calls it.
    let model: String
    let isStreamed: Bool
    /// What the call will take, at four bytes a token.
    let tokens: Call.Tokens
    private let body: ByteBuffer

    /// Reads a body.
    ///
    /// - Throws: ``APIError`` with the status 400 that names the bad field.
    init(_ body: ByteBuffer, kind: Kind) throws {
        let fields = try Self.fields(of: body)
        guard let model = fields["model"] as? String, !model.isEmpty else {
            throw APIError(.badRequest, "model: must be the name of a model", param: "model")
        }
        switch kind {
        case .chat:
            guard let messages = fields["messages"] as? [Any], !messages.isEmpty else {
                throw APIError(.badRequest, "messages: must be an array of at least one message", param: "messages")
            }
        case .embeddings:
            guard fields["input"] is String || fields["input"] is [Any] else {
                throw APIError(.badRequest, "input: must be a text or an array", param: "input")
            }
        }
        if let stream = fields["stream"], !(stream is Bool), !(stream is NSNull) {
            throw APIError(.badRequest, "stream: must be true or false", param: "stream")
        }
        self.kind = kind
        self.model = model
        self.body = body
        isStreamed = kind == .chat && fields["stream"] as? Bool == true
        let most = fields["max_completion_tokens"] as? Int ?? fields["max_tokens"] as? Int ?? 0
        tokens = .estimate(input: body.readableBytes / 4, maxOutput: most)
    }

    /// The body as it came, with only the model's name replaced.
    func body(asking name: String) throws -> ByteBuffer {
        if name == "*" || name == model { return body }
        var fields = try Self.fields(of: body)
        fields["model"] = name
        return ByteBuffer(data: try JSONSerialization.data(withJSONObject: fields, options: .withoutEscapingSlashes))
    }

    /// Whether a body is a JSON object.
    static func isObject(_ body: ByteBuffer) -> Bool {
        (try? fields(of: body)) != nil
    }

    private static func fields(of body: ByteBuffer) throws -> [String: Any] {
        guard let json = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView)),
            let fields = json as? [String: Any]
        else {
            throw APIError(.badRequest, "body: \(body.readableBytes) bytes that are not a JSON object")
        }
        return fields
    }
}
