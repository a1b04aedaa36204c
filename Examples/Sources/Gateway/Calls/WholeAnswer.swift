import Foundation
import NIOCore
import Spillway
import SpillwayHTTPClient

/// An answer in one piece.
struct WholeAnswer: Sendable {
    let body: ByteBuffer
    let contentType: String
    /// The model that answered; empty when the answer does not say.
    let model: String
    let usage: Usage

    /// Reads an answer.
    ///
    /// - Parameter promptTokens: An estimate, for an answer that does not say what it took.
    /// - Throws: ``UpstreamError`` when it makes no sense, or is an error in spite of its status.
    init(_ body: ByteBuffer, contentType: String, promptTokens: Int) throws(UpstreamError) {
        let json = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView))
        guard let fields = json as? [String: Any] else { throw .malformed("an answer that is not JSON") }
        if let error = fields["error"], !(error is NSNull) { throw Self.failure(fields) }
        if fields["object"] as? String == "error" { throw Self.failure(fields) }
        self.body = body
        self.contentType = contentType
        model = fields["model"] as? String ?? ""
        usage = Self.usage(fields["usage"] as? [String: Any]) ?? Self.estimate(fields, promptTokens)
    }

    private static func usage(_ fields: [String: Any]?) -> Usage? {
        guard let fields, fields["prompt_tokens"] is Int else { return nil }
        return (try? JSONSerialization.data(withJSONObject: fields)).flatMap { Usage(openAI: $0) }
    }

    /// What an error object stands for: the same as in a stream, which the library reads.
    private static func failure(_ fields: [String: Any]) -> UpstreamError {
        // What came from a parser is always valid, and written in one line.
        let line = try! JSONSerialization.data(withJSONObject: fields, options: .withoutEscapingSlashes)
        var decoder = ChatStreamDecoder(limit: .max)
        _ = decoder.feed(Array("event: error\ndata: ".utf8) + line + Array("\n\n".utf8))
        return decoder.failure ?? .malformed("an error with a status of success")
    }

    private static func estimate(_ fields: [String: Any], _ promptTokens: Int) -> Usage {
        let bytes = (fields["choices"] as? [[String: Any]] ?? []).reduce(0) { sum, choice in
            sum + ((choice["message"] as? [String: Any])?["content"] as? String ?? "").utf8.count
        }
        let completion = (bytes + 3) / 4
        return Usage(input: promptTokens, output: completion, source: .metered)
    }
}
