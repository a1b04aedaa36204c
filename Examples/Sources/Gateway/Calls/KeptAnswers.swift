import Foundation
import NIOCore
import Spillway
import SpillwayHTTPClient

/// Answers of one route that are given again, each to the tenant that got it.
struct KeptAnswers: Sendable {
    /// The tier whose answers are kept: the best of models, so that nothing lesser passes for its answers.
    let source: Int
    private let cache: ExactCache<WholeAnswer>

    /// No answers yet.
    init(_ configuration: Configuration.Cache, from source: Int) throws {
        self.source = source
        cache = try ExactCache(
            .init(bytes: configuration.bytes, ttl: configuration.fresh, staleIfError: configuration.stale)
        ) { $0.body.readableBytes + $0.contentType.utf8.count + $0.model.utf8.count }
    }

    /// What the cache has done and holds.
    var counts: CacheCounts { cache.counts }

    /// Keeps an answer that `attempt` got, if it is of the tier whose answers are kept.
    func keep(_ answer: WholeAnswer, of attempt: Attempt, to call: UpstreamCall) {
        guard attempt.mode?.level == source, let key = Self.key(of: call) else { return }
        cache.store(answer, for: key, at: SystemTime().now)
    }

    /// The answer to a call; nil: there is none.
    ///
    /// One that is too old is given where models were asked before, and did not answer.
    func answer(_ attempt: Attempt, to call: UpstreamCall) -> CachedAnswer<WholeAnswer>? {
        guard let key = Self.key(of: call), let mode = attempt.mode else { return nil }
        return cache.lookup(key, at: SystemTime().now, allowingStale: mode.level > source)
    }

    /// What a call is known by: all that it says, but whether it wants the answer in pieces.
    private static func key(of call: UpstreamCall) -> CacheKey? {
        guard let body = try? call.request.wholeBody() else { return nil }
        var parts = CacheKey.Parts(for: .tenant(call.tenant))
        parts.add(call.request.kind.path)
        body.withUnsafeReadableBytes { parts.add($0) }
        return parts.key
    }
}

extension WholeAnswer {
    /// The answer as the events of a stream: a chunk for each choice, what it took, and the end mark.
    ///
    /// - Throws: For an answer that is no chat completion.
    func events() throws -> ByteBuffer {
        guard var fields = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any],
            let choices = fields["choices"] as? [[String: Any]]
        else { throw UpstreamError.noAnswer }
        let usage = fields.removeValue(forKey: "usage")
        fields["object"] = "chat.completion.chunk"
        var events = ByteBuffer()
        func write(_ choices: [[String: Any]], _ usage: Any? = nil) throws {
            var chunk = fields
            chunk["choices"] = choices
            chunk["usage"] = usage
            let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
            events.writeString("data: ")
            events.writeBytes(try JSONSerialization.data(withJSONObject: chunk, options: options))
            events.writeString("\n\n")
        }
        for var choice in choices {
            var delta = choice.removeValue(forKey: "message") as? [String: Any] ?? [:]
            if let calls = delta["tool_calls"] as? [[String: Any]] {
                delta["tool_calls"] = calls.enumerated().map { index, call in
                    call.merging(["index": index]) { own, _ in own }
                }
            }
            choice["delta"] = delta
            try write([choice])
        }
        if let usage { try write([], usage) }
        events.writeString("data: [DONE]\n\n")
        return events
    }
}
