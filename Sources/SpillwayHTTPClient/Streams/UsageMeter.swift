#if HTTPClientSupport
internal import Spillway

/// Decides between what a provider says that an answer took, and what was counted here.
struct UsageMeter: Sendable {
    private var said: Usage?
    private var isFinal = false

    /// Remembers the figures of a chunk: the last are right, since they are counted from the start of the answer.
    ///
    /// - Parameter isEnd: Whether the answer is whole with this chunk. Earlier figures are of a part, or hold a place.
    mutating func read(_ chunk: ChatChunk, isEnd: Bool) {
        guard let usage = chunk.usage else {
            if chunk.choices.contains(where: \.delta.isContent) { isFinal = false }
            return
        }
        said = usage
        isFinal = isEnd || chunk.choices.isEmpty
    }

    /// The figures; nil when there is nothing to count.
    func usage(promptTokens: Int, tokens: Int, hasContent: Bool) -> Usage? {
        guard var usage = said else {
            return hasContent ? Usage(input: promptTokens, output: tokens, source: .metered) : nil
        }
        if isFinal, usage.answerTokens > 0 || tokens == 0 { return usage }
        // What came after those figures, or what they left out, is counted here.
        usage[.output] += max(0, tokens - usage.answerTokens)
        if usage.promptTokens == 0 { usage[.input] = promptTokens }
        usage.source = .metered
        return usage
    }
}
#endif
