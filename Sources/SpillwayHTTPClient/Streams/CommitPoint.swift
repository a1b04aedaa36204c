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

/// What becomes of a call whose stream fails after some of it was passed on.
public enum StreamRecovery: Sendable, Hashable {
    /// The call fails, and says so.
    case fail
    /// The request is made again as it was; what was passed on is skipped in the new answer.
    ///
    /// Only for models that give the same answer again (temperature 0, or a seed). When the new answer begins differently,
    /// the call fails with the first failure: two answers are never mixed.
    case restart
    /// The request is made again with the part that was passed on, for the target to go on from there.
    ///
    /// Only for targets that can. When one refuses, the call fails with the first failure. Only plain text of one choice can
    /// be continued: after reasoning, a refusal or a tool call the call fails.
    case `continue`(Prefill.Style = .flags)
}
#endif
