#if HTTPClientSupport
/// What was passed on of an answer, so that another answer can be held against it.
struct Transcript: Sendable {
    /// What a text is; the raw value marks its beginning among the bytes, and is no byte of UTF-8.
    enum Channel: UInt8, Sendable {
        case reasoning = 0xF8
        case content, refusal
    }

    /// A text of one kind.
    struct Part: Sendable {
        let channel: Channel
        var text: String

        init(_ channel: Channel, _ text: String?) {
            self.channel = channel
            self.text = text ?? ""
        }
    }

    /// All texts in order, each marked where its kind differs from the one before: however they were cut into chunks.
    private(set) var bytes: [UInt8] = []
    /// The text of the answer itself.
    private(set) var content = ""
    /// About how many tokens it all is.
    private(set) var tokens = 0
    /// Whether there is nothing but text of the first choice.
    private(set) var isPlain = true
    /// Whether there is nothing but text of the answer itself.
    private(set) var isOnlyContent = true
    private var channel: Channel?

    /// Adds what a piece brings.
    mutating func append(_ piece: ChatPiece) {
        tokens += piece.tokens
        isPlain = isPlain && piece.isPlain
        for part in piece.parts {
            if part.channel != channel { bytes.append(part.channel.rawValue) }
            channel = part.channel
            bytes += part.text.utf8
            if part.channel == .content { content += part.text } else { isOnlyContent = false }
        }
    }
}
#endif
