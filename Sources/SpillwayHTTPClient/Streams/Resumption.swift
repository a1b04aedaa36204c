#if HTTPClientSupport
/// How one attempt goes on from what earlier ones have passed on.
struct Resumption: Sendable {
    /// The new answer begins differently.
    struct Differs: Error {}

    /// What the target is to continue; nil: the request is made as it was.
    let prefill: Prefill?
    /// What must come again before anything new.
    private let expected: [UInt8]
    private var met = 0
    private var channel: Transcript.Channel?
    /// Whether something of the answer was passed on before, so that nobody needs to be told again who speaks.
    let goesOn: Bool
    private var hasNews = false

    /// From the start.
    static let none = Resumption(prefill: nil, expected: [], goesOn: false)

    /// From a prefill.
    static func continuing(_ prefill: Prefill) -> Resumption {
        Resumption(prefill: prefill, expected: [], goesOn: true)
    }

    /// From the start, skipping what is in `transcript`.
    static func restarting(_ transcript: Transcript) -> Resumption {
        Resumption(prefill: nil, expected: transcript.bytes, goesOn: true)
    }

    private init(prefill: Prefill?, expected: [UInt8], goesOn: Bool) {
        self.prefill = prefill
        self.expected = expected
        self.goesOn = goesOn
    }

    /// What is new of a piece; nil: nothing.
    mutating func take(_ piece: ChatPiece) throws(Differs) -> ChatPiece? {
        guard goesOn else { return piece }
        var news = piece
        if met < expected.count, piece.kind == .content {
            guard piece.isPlain else { throw Differs() }
            var rest: [Transcript.Part] = []
            for part in piece.parts {
                if let part = try skip(part) { rest.append(part) }
            }
            news = piece.keeping(rest)
        }
        let ends = news.finishes || news.kind == .end
        if ends, met < expected.count { throw Differs() }
        hasNews = hasNews || news.kind == .content || ends
        return hasNews ? news : nil
    }

    /// What is left of a text behind what is expected; nil: nothing.
    private mutating func skip(_ part: Transcript.Part) throws(Differs) -> Transcript.Part? {
        if met < expected.count, part.channel != channel {
            guard expected[met] == part.channel.rawValue else { throw Differs() }
            met += 1
        }
        channel = part.channel
        let bytes = Array(part.text.utf8)
        let count = min(bytes.count, expected.count - met)
        guard bytes[..<count].elementsEqual(expected[met..<met + count]) else { throw Differs() }
        met += count
        if count == bytes.count { return nil }
        // Both were cut between characters, so this is between characters, too.
        return Transcript.Part(part.channel, String(decoding: bytes[count...], as: UTF8.self))
    }
}

extension ChatPiece {
    /// The piece with no more text than `parts`.
    fileprivate func keeping(_ parts: [Transcript.Part]) -> ChatPiece {
        if parts.count == self.parts.count, zip(parts, self.parts).allSatisfy({ $0.text == $1.text }) { return self }
        guard let chunk else { return self }
        func text(_ channel: Transcript.Channel) -> String? { parts.first { $0.channel == channel }?.text }
        var delta = ChatChunk.Delta()
        delta.role = chunk.choices.first?.delta.role
        delta.content = text(.content)
        delta.reasoning = text(.reasoning)
        delta.refusal = text(.refusal)
        let count = parts.reduce(0) { $0 + $1.text.utf8.count }
        return ChatPiece(
            ServerSentEvent(event: event.event, data: rewritten(delta), id: event.id), count > 0 ? .content : .empty,
            chunk.replacing(delta), tokens: min(tokens, (count + 3) / 4))
    }

    /// The data with the texts of `delta` in place of its own.
    private func rewritten(_ delta: ChatChunk.Delta) -> String {
        guard var json = try? JSON(parsing: data.utf8), var choices = json["choices"]?.array, !choices.isEmpty else {
            return data
        }
        let texts = [
            "content": delta.content, "reasoning_content": delta.reasoning, "reasoning": delta.reasoning,
            "refusal": delta.refusal,
        ]
        var fields = choices[0]["delta"]
        for (name, text) in texts where fields?[name]?.string != nil { fields?[name] = .string(text ?? "") }
        choices[0]["delta"] = fields
        json["choices"] = .array(choices)
        return (try? json.bytes()).map { String(decoding: $0, as: UTF8.self) } ?? data
    }
}

extension ChatChunk {
    /// The chunk with another addition to its first choice.
    fileprivate func replacing(_ delta: Delta) -> ChatChunk {
        ChatChunk(
            id: id, model: model,
            choices: choices.prefix(1).map { Choice(index: $0.index, delta: delta, finishReason: $0.finishReason) },
            usage: usage)
    }
}
#endif
