import Foundation
import NIOCore
import Spillway
import SpillwayHTTPClient

/// A client's request, checked before any upstream is asked.
struct ModelRequest: Sendable {
    /// What is asked for.
    enum Kind: Sendable {
        case chat
        case embeddings

        /// The path of the endpoint here.
        var path: String { path(under: "/v1") }

        /// The path of the endpoint where the API lies at `base`.
        func path(under base: String) -> String {
            switch self {
            case .chat: base + "/chat/completions"
            case .embeddings: base + "/embeddings"
            }
        }
    }

    let kind: Kind
    /// The model as the client calls it.
    let model: String
    let isStreamed: Bool
    /// Whether the client wants to be told what a stream took.
    let wantsUsage: Bool
    /// How many answers are asked for.
    let choices: Int
    /// What the call will take, at four bytes a token.
    let tokens: Call.Tokens
    /// Whom the client asks for; nil: it does not say.
    let user: String?
    private let body: ByteBuffer

    /// Reads a body.
    ///
    /// - Parameter assumedOutput: The most tokens of an answer whose request does not say, where calls are paid for; nil: nobody
    ///   asks.
    /// - Throws: ``APIError`` with the status 400 that names the bad field.
    init(_ body: ByteBuffer, kind: Kind, assumedOutput: Int? = nil) throws {
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
        let options = fields["stream_options"] as? [String: Any]
        wantsUsage = options?["include_usage"] as? Bool == true
        choices = min(max(fields["n"] as? Int ?? 1, 1), 1_000)
        user = (fields["user"] as? String).flatMap { $0.isEmpty ? nil : $0 }
        let most = ["max_completion_tokens", "max_tokens"].compactMap { fields[$0] as? Int }
        guard let assumedOutput else {
            tokens = .estimate(input: body.readableBytes / 4, maxOutput: most.first ?? 0)
            return
        }
        // Another service has another price, which nothing was held for.
        let service = fields["service_tier"] ?? NSNull()
        guard service is NSNull || ["auto", "default"].contains(service as? String) else {
            throw APIError(.badRequest, "service_tier: only 'default' can be paid for here", param: "service_tier")
        }
        // Of two limits nobody knows which the upstream heeds, and of none below 1 whether it heeds it.
        let each = kind == .chat ? most.filter { $0 > 0 }.max() ?? assumedOutput : 0
        let (all, overflow) = each.multipliedReportingOverflow(by: choices)
        tokens = .estimate(input: max(1, body.readableBytes / 4), maxOutput: overflow ? .max : all)
    }

    /// The body as it came but for the model's name; a stream is always to end with what it took.
    ///
    /// - Parameters:
    ///   - limit: The most tokens of all answers together; nil: as many as the request says.
    ///   - prefill: What is there already of the answer, for the upstream to go on with; nil: nothing.
    func body(asking name: String, limitedTo limit: Int? = nil, after prefill: Prefill? = nil) throws -> ByteBuffer {
        let limit = kind == .chat ? limit : nil
        if name == "*" || name == model, !isStreamed, limit == nil { return body }
        var fields = try Self.fields(of: body)
        if let limit { Self.shorten(&fields, to: max(1, limit / choices)) }
        if name != "*" { fields["model"] = name }
        if isStreamed {
            var options = fields["stream_options"] as? [String: Any] ?? [:]
            options["include_usage"] = true
            fields["stream_options"] = options
        }
        let data = try JSONSerialization.data(withJSONObject: fields, options: .withoutEscapingSlashes)
        return try prefill.map { ByteBuffer(bytes: try $0.body(data)) } ?? ByteBuffer(data: data)
    }

    /// How hard what was said last looks, from 0 to 1, by its surface.
    var difficulty: Double {
        let fields = try? Self.fields(of: body)
        let last = (fields?["messages"] as? [[String: Any]])?.last { $0["role"] as? String == "user" }
        if let text = last?["content"] as? String { return Difficulty.estimate(text) }
        let parts = last?["content"] as? [[String: Any]] ?? []
        return Difficulty.estimate(parts.compactMap { $0["text"] as? String }.joined(separator: "\n"))
    }

    /// How the prompt begins, which tells where it was computed before: tools, and then what was said.
    var prefix: Prefix {
        let fields = (try? Self.fields(of: body)) ?? [:]
        var text = Self.sorted(fields["tools"])
        for message in fields["messages"] as? [[String: Any]] ?? [] {
            text += "\(message["role"] as? String ?? "")\n"
            text += (message["content"] as? String ?? Self.sorted(message["content"])) + "\n"
        }
        text += fields["input"] as? String ?? Self.sorted(fields["input"])
        return Prefix(of: text, model: model, tokens: Int(tokens.input))
    }

    /// Whatever stands in a field, written in one way; empty for nothing.
    private static func sorted(_ value: Any?) -> String {
        guard let value, !(value is NSNull), JSONSerialization.isValidJSONObject([value]) else { return "" }
        let data = try? JSONSerialization.data(withJSONObject: [value], options: [.sortedKeys])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The same request for an answer in one piece, written in one way.
    func wholeBody() throws -> ByteBuffer {
        var fields = try Self.fields(of: body)
        fields["stream"] = nil
        fields["stream_options"] = nil
        return ByteBuffer(
            data: try JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes]))
    }

    /// Lowers what the request says of the length of an answer, and says it where it does not.
    private static func shorten(_ fields: inout [String: Any], to limit: Int) {
        var isSaid = false
        for name in ["max_completion_tokens", "max_tokens"] {
            guard let value = fields[name], !(value is NSNull) else { continue }
            isSaid = true
            // What is no number is for the upstream to refuse.
            if let most = value as? Double, most > Double(limit) { fields[name] = limit }
        }
        if !isSaid { fields["max_tokens"] = limit }
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
