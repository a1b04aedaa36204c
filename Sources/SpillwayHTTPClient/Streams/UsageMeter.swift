#if HTTPClientSupport
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
        guard let said else {
            guard hasContent else { return nil }
            return Usage(
                promptTokens: promptTokens, completionTokens: tokens, totalTokens: promptTokens + tokens,
                source: .estimate)
        }
        if isFinal, said.completionTokens > 0 || tokens == 0 { return said }
        let completion = max(said.completionTokens, tokens)
        let prompt = said.promptTokens > 0 ? said.promptTokens : promptTokens
        return Usage(
            promptTokens: prompt, completionTokens: completion, totalTokens: prompt.saturatingSum(completion),
            source: .mixed)
    }
}
#endif
