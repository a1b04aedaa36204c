#if HTTPClientSupport
/// One event of a streamed answer, and what it means.
public struct ChatPiece: Sendable, Hashable {
    /// What an event brings.
    public enum Kind: Sendable, Hashable {
        /// Something new of the answer: text, reasoning, a refusal, a tool call.
        case content
        /// Only what the answer took.
        case usage
        /// Nothing new, such as a role, or the finish reason alone.
        case empty
        /// The end mark, `[DONE]`.
        case end
    }

    /// The event as it came.
    public let event: ServerSentEvent
    /// What it brings.
    public let kind: Kind
    /// What it says; nil for the end mark.
    public let chunk: ChatChunk?
    /// About how many tokens it has, so that the sum over an answer is a token for every four bytes.
    public let tokens: Int

    init(_ event: ServerSentEvent, _ kind: Kind, _ chunk: ChatChunk?, tokens: Int) {
        self.event = event
        self.kind = kind
        self.chunk = chunk
        self.tokens = tokens
    }

    /// The end mark, where an upstream has sent none.
    static let end = ChatPiece(ServerSentEvent(data: "[DONE]"), .end, nil, tokens: 0)

    /// The event's data, to be passed on unchanged.
    public var data: String { event.data }
    /// The text that was added to the first answer.
    public var text: String { chunk?.content ?? "" }
    /// Whether an answer ends with it.
    public var finishes: Bool { chunk?.choices.contains { $0.finishReason != nil } ?? false }
    /// Whether all it adds is text of the first answer.
    var isPlain: Bool { chunk?.choices.allSatisfy { $0.index == 0 && !$0.delta.hasOther } ?? true }
    /// The texts that it adds to the first answer, in their order.
    var parts: [Transcript.Part] {
        guard let delta = chunk?.choices.first(where: { $0.index == 0 })?.delta else { return [] }
        return [
            Transcript.Part(.reasoning, delta.reasoning), Transcript.Part(.content, delta.content),
            Transcript.Part(.refusal, delta.refusal),
        ].filter { !$0.text.isEmpty }
    }
}
#endif
