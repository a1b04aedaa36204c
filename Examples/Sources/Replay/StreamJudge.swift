import Foundation

/// Watches the events of one streamed answer and says whether it was good.
struct StreamJudge: Sendable {
    /// How the connection ended.
    enum Ending: Sendable {
        case clean
        case lost
    }

    /// The part of a chat completion chunk that matters here.
    private struct Chunk: Decodable {
        struct Choice: Decodable {
            struct Delta: Decodable {
                let content: String?
            }
            let delta: Delta?
            let finishReason: String?

            enum CodingKeys: String, CodingKey {
                case delta
                case finishReason = "finish_reason"
            }
        }
        /// Present whatever its shape is.
        struct Anything: Decodable {
            init(from decoder: any Decoder) throws {}
        }
        let choices: [Choice]?
        let error: Anything?
    }

    /// The tokens that the answer must have; the fleet writes one word for each.
    let expectedWords: Int
    private var words = 0
    private var insideWord = false
    private var finished = false
    private var done = false
    private var failed = false
    private var malformed = false

    /// Starts on an answer that must have `expectedWords` words.
    init(expectedWords: Int) {
        self.expectedWords = expectedWords
    }

    /// Takes the next event; true when it carried content.
    mutating func take(_ event: ServerSentEvent) -> Bool {
        if event.data == "[DONE]" {
            done = true
            return false
        }
        guard let chunk = try? JSONDecoder().decode(Chunk.self, from: Data(event.data.utf8)) else {
            // A named error event need not carry JSON.
            if event.name == "error" { failed = true } else { malformed = true }
            return false
        }
        if chunk.error != nil || event.name == "error" { failed = true }
        var hasContent = false
        for choice in chunk.choices ?? [] {
            if choice.finishReason != nil { finished = true }
            guard let content = choice.delta?.content, !content.isEmpty else { continue }
            hasContent = true
            count(content)
        }
        return hasContent
    }

    /// The verdict once the stream has ended.
    ///
    /// A connection lost after `[DONE]` cost the user nothing, so it is judged as if it had ended cleanly.
    func verdict(_ ending: Ending) -> Outcome {
        if failed { return .failed("in-band-error") }
        if ending == .lost, !(finished && done) { return .failed("connection-lost") }
        if malformed { return .failed("malformed-chunk") }
        guard finished, done else { return .truncated }
        return words == expectedWords ? .good : .failed("wrong-length")
    }

    /// Counts the words that begin in `content`, which may start in the middle of one.
    private mutating func count(_ content: String) {
        for byte in content.utf8 {
            let isSpace = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
            if !isSpace, !insideWord { words += 1 }
            insideWord = !isSpace
        }
    }
}
