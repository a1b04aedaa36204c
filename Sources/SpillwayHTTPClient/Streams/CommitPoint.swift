#if HTTPClientSupport
/// How much of a streamed answer must have come before anything of it is passed on.
///
/// Until then another attempt goes unnoticed; so the later the point, the more faults stay hidden, and the longer the caller
/// waits for the first token.
public enum CommitPoint: Sendable, Hashable {
    /// The first content: the shortest wait.
    case firstToken
    /// About this many tokens, or the whole answer if that is shorter; below 1 is as 1.
    case tokens(Int)
    /// The whole answer: no fault of a stream is ever seen.
    case wholeAnswer

    /// Whether an answer of so many tokens of content, that goes on, has got there.
    func isReached(tokens: Int, hasContent: Bool) -> Bool {
        switch self {
        case .firstToken: hasContent
        case .tokens(let least): hasContent && tokens >= least
        case .wholeAnswer: false
        }
    }
}
#endif
