import Foundation
import SpillwayHTTPClient

/// Tells what the events of a streamed chat completion mean.
enum ChunkReader {
    /// What can carry content in a delta besides tool calls.
    private static let texts = ["content", "reasoning_content", "refusal"]

    /// The stage that an answer has reached with `event`.
    ///
    /// - Throws: ``UpstreamError`` when the event is an error or makes no sense.
    static func stage(of event: ServerSentEvent) throws(UpstreamError) -> AttemptWatch.Stage {
        if event.data == "[DONE]" { return .done }
        let json = try? JSONSerialization.jsonObject(with: Data(event.data.utf8))
        guard let chunk = json as? [String: Any] else {
            throw UpstreamError.malformed("a chunk that is not a JSON object")
        }
        if let error = chunk["error"], !(error is NSNull) {
            throw .inBand(error, body: Array(event.data.utf8))
        }
        var stage = AttemptWatch.Stage.waiting
        for choice in chunk["choices"] as? [[String: Any]] ?? [] {
            if choice["finish_reason"] is String { return .finished }
            guard let delta = choice["delta"] as? [String: Any] else { continue }
            let hasText = texts.contains { (delta[$0] as? String)?.isEmpty == false }
            let hasCall = (delta["tool_calls"] as? [Any])?.isEmpty == false || delta["function_call"] is [String: Any]
            if hasText || hasCall { stage = .content }
        }
        return stage
    }
}
