#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
public import Spillway

/// Tells what the bytes of a streamed chat completion mean, split anywhere: no input or output, no clock.
///
/// It knows content from what only keeps a connection alive, an error in the stream from content, and a finished answer
/// from one that was cut.
public struct ChatStreamDecoder: Sendable {
    /// How far an answer has come.
    public enum Phase: Int, Sendable, Comparable {
        /// No content yet.
        case waiting
        /// Content, and more is to come.
        case content
        /// Every choice has its finish reason: the answer is whole, though usage may follow.
        case finished
        /// The end mark has come, or the end of the body after a finish reason.
        case done

        /// Orders phases by time.
        public static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// How far the answer has come.
    public private(set) var phase = Phase.waiting
    /// Why the answer is not whole; nil while it may become so.
    ///
    /// Nothing is read after it.
    public private(set) var failure: UpstreamError?
    /// The model that answers; empty where the provider does not say.
    public private(set) var model = ""
    /// About how many tokens have come: one for every four bytes of content, rounded up.
    public var tokens: Int { (bytes + 3) / 4 }

    private let choices: Int
    private var parser: ServerSentEventParser
    private var bytes = 0
    private var begun: Set<Int> = []
    private var finished: Set<Int> = []
    private var meter = UsageMeter()

    /// A decoder at the start of a stream.
    ///
    /// - Parameters:
    ///   - choices: How many answers were asked for (`n`), 1 by default: it takes as many finish reasons to end.
    ///   - limit: The most bytes of one event, 1 MiB by default.
    public init(choices: Int = 1, limit: Int = 1 << 20) {
        self.choices = choices
        parser = ServerSentEventParser(limit: limit)
    }

    /// Whether so much has come that the answer may be passed on; ``CommitPoint/wholeAnswer`` only when it is finished.
    public func isReached(_ point: CommitPoint) -> Bool {
        phase >= .finished || point.isReached(tokens: tokens, hasContent: phase == .content)
    }

    /// What the answer took so far; nil when no content came and the provider has said nothing.
    ///
    /// - Parameter promptTokens: An estimate for the prompt, where the provider does not say.
    public func usage(promptTokens: Int = 0) -> Usage? {
        meter.usage(promptTokens: promptTokens, tokens: tokens, hasContent: phase != .waiting)
    }

    /// Reads more bytes and returns the events that they complete.
    ///
    /// After a failure, see ``failure``, and after the end mark there are none.
    public mutating func feed(_ bytes: some Sequence<UInt8>) -> [ChatPiece] {
        guard failure == nil, phase != .done else { return [] }
        do throws(ServerSentEventParser.TooLarge) {
            return try parser.feed(bytes).compactMap { read($0) }
        } catch {
            fail(.malformed(error.description, underlying: error))
            return []
        }
    }

    /// The body has ended: an answer that is not whole by now has been cut.
    public mutating func end() {
        parser.finish()
        if phase < .finished {
            fail(UpstreamError("the stream ended without a finish reason or [DONE]", .failure(.transport)))
        } else {
            phase = .done
        }
    }

    /// What goes wrong after an answer was whole does not matter any more.
    private mutating func fail(_ error: UpstreamError) {
        if phase >= .finished { phase = .done } else if failure == nil { failure = error }
    }

    private mutating func read(_ event: ServerSentEvent) -> ChatPiece? {
        guard failure == nil, phase != .done else { return nil }
        let data = event.data.trimmed
        if data.isEmpty, event.event != "error" { return nil }
        if data == "[DONE]" {
            phase = .done
            return ChatPiece(event, .end, nil, tokens: 0)
        }
        let bytes = Array(event.data.utf8)
        if event.event == "error" {
            fail(.from(ProviderError(event: event.data), in: bytes))
            return nil
        }
        do {
            switch try JSONDecoder().decode(ProviderAnswer<ChatChunk>.self, from: Data(bytes)) {
            case .body(let chunk): return read(chunk, event)
            case .error(let error): fail(.from(error, in: bytes))
            }
        } catch {
            fail(.malformed("a chunk of the stream is not what the protocol allows", underlying: error))
        }
        return nil
    }

    private mutating func read(_ chunk: ChatChunk, _ event: ServerSentEvent) -> ChatPiece? {
        // Engines that give up say so where others say why the answer is whole.
        if let reason = chunk.choices.compactMap(\.finishReason).first(where: Self.isFailure) {
            fail(UpstreamError("the upstream ended the answer with '\(reason)'", .failure(.serverError)))
            return nil
        }
        if !chunk.model.isEmpty { model = chunk.model }
        let before = tokens
        var isContent = false
        for choice in chunk.choices {
            begun.insert(choice.index)
            if choice.finishReason != nil { finished.insert(choice.index) }
            guard choice.delta.isContent else { continue }
            isContent = true
            bytes += choice.delta.size
        }
        if isContent { phase = max(phase, .content) }
        if finished.count >= max(choices, begun.count) { phase = max(phase, .finished) }
        meter.read(chunk, isEnd: phase >= .finished)
        let kind: ChatPiece.Kind = isContent ? .content : chunk.usage != nil && chunk.choices.isEmpty ? .usage : .empty
        return ChatPiece(event, kind, chunk, tokens: tokens - before)
    }

    private static func isFailure(_ reason: String) -> Bool { ["error", "abort"].contains(reason) }
}

extension ChatChunk.Delta {
    /// Bytes of text; what is no text counts as one token.
    fileprivate var size: Int {
        [content, reasoning, refusal].reduce(hasOther ? 4 : 0) { $0 + ($1?.utf8.count ?? 0) }
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return text.drop { $0 == " " }
    }
}
#endif
