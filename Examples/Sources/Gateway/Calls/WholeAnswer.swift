import Foundation
import NIOCore
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
        if let error = fields["error"], !(error is NSNull) {
            let start = Array(body.readableBytesView.prefix(16_384))
            throw UpstreamError("an error with a status of success", .failure(.serverError), status: 502, body: start)
        }
        self.body = body
        self.contentType = contentType
        model = fields["model"] as? String ?? ""
        usage = Self.usage(fields["usage"] as? [String: Any]) ?? Self.estimate(fields, promptTokens)
    }

    private static func usage(_ fields: [String: Any]?) -> Usage? {
        guard let fields, let prompt = fields["prompt_tokens"] as? Int else { return nil }
        let completion = fields["completion_tokens"] as? Int ?? 0
        return Usage(promptTokens: prompt, completionTokens: completion, totalTokens: prompt + completion)
    }

    private static func estimate(_ fields: [String: Any], _ promptTokens: Int) -> Usage {
        let bytes = (fields["choices"] as? [[String: Any]] ?? []).reduce(0) { sum, choice in
            sum + ((choice["message"] as? [String: Any])?["content"] as? String ?? "").utf8.count
        }
        let completion = (bytes + 3) / 4
        return Usage(
            promptTokens: promptTokens, completionTokens: completion, totalTokens: promptTokens + completion,
            source: .estimate)
    }
}
