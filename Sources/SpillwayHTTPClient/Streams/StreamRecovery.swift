#if HTTPClientSupport
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
