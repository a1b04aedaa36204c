#if HTTPClientSupport
public import Spillway

/// What was passed on of one call's answer, over all its attempts, and what went wrong first.
///
/// One for each call. ``StreamRelay`` writes it.
public final class StreamJournal: Sendable {
    private struct State {
        var transcript = Transcript()
        var isCommitted = false
        var isWhole = false
        var failure: UpstreamError?
        var model = ""
        /// What attempts that have ended took, and what the one that is passed on takes so far.
        var attempts: [StreamCost] = []
        var running: Usage?
    }

    /// What becomes of the call when its stream fails after some of it was passed on.
    public let recovery: StreamRecovery
    /// About how many tokens the prompt has, for usage that the provider does not tell.
    public let promptTokens: Int
    /// How many answers were asked for.
    public let choices: Int
    private let state = Locked(State())

    /// An empty journal.
    ///
    /// - Parameters:
    ///   - recovery: What becomes of a stream that fails after some of it was passed on; by default the call fails.
    ///   - promptTokens: About how many tokens the prompt has; none by default.
    ///   - choices: How many answers were asked for (`n`), 1 by default.
    public init(_ recovery: StreamRecovery = .fail, promptTokens: Int = 0, choices: Int = 1) {
        self.recovery = recovery
        self.promptTokens = promptTokens
        self.choices = choices
    }

    /// Whether anything was passed on.
    public var isCommitted: Bool { state.withLock { $0.isCommitted } }
    /// Whether the caller has taken the whole answer and its end mark; then nothing that goes wrong afterwards matters.
    public var isWhole: Bool { state.withLock { $0.isWhole } }
    /// The model whose answer is passed on; empty before, and where the provider does not say.
    public var model: String { state.withLock { $0.model } }
    /// The first failure after something was passed on; nil: none yet.
    public var failure: UpstreamError? { state.withLock { $0.failure } }

    /// What all attempts took so far; nil when there is nothing to count.
    ///
    /// An attempt of which content came counts even when nothing of it was passed on: providers bill it. One that was sent
    /// and ended before any content, such as the loser of a hedge, counts with an estimate of its prompt; one that found no
    /// connection, or was answered with an error's status, does not count: providers do not bill those.
    public var usage: Usage? {
        state.withLock { state in
            (state.attempts.map(\.usage) + [state.running].compactMap(\.self))
                .reduce(nil) { sum, next in sum.map { $0 + next } ?? next }
        }
    }

    /// What each attempt that has ended took, as far as there is something to count.
    public var costs: [StreamCost] { state.withLock { $0.attempts } }

    /// The error that the caller of a stream is to see for the error with which its call ended.
    ///
    /// After something was passed on it is the first failure, which no later attempt hides; before, the last one. Nil when
    /// there is none: the call never reached a target, or ended in time and not in an error.
    public func failure(of error: PolicyError<UpstreamError>) -> UpstreamError? {
        guard isCommitted else { return error.underlying }
        if let last = error.underlying, last.outcome.cause == .cancelled, failure == nil { return last }
        if case .cancelled = error { return UpstreamError("the call was cancelled", .neutral(.cancelled)) }
        return (failure ?? error.underlying)?.afterCommit ?? .truncated("the stream was cut: \(error.reason)")
    }
}

extension StreamJournal {
    /// How the next attempt is to begin.
    ///
    /// - Throws: The first failure, when no other attempt can go on from what was passed on.
    func begin() throws(UpstreamError) -> Resumption {
        let (transcript, isCommitted, failure) = state.withLock { ($0.transcript, $0.isCommitted, $0.failure) }
        guard isCommitted else { return .none }
        guard canResume(transcript) else { throw lost("another attempt cannot go on from there", after: failure) }
        guard case .continue(let style) = recovery else { return .restarting(transcript) }
        return .continuing(Prefill(text: transcript.content, tokens: transcript.tokens, style: style))
    }

    /// Pieces are about to be passed on.
    ///
    /// - Returns: Whether another attempt could go on from behind them.
    func pass(_ pieces: [ChatPiece], _ decoder: ChatStreamDecoder) -> Bool {
        state.withLock { state in
            state.isCommitted = true
            state.model = decoder.model
            state.running = decoder.usage(promptTokens: promptTokens)
            if recovery != .fail { for piece in pieces { state.transcript.append(piece) } }
            return canResume(state.transcript)
        }
    }

    /// The caller has taken the whole answer and its end mark.
    func complete() { state.withLock { $0.isWhole = true } }

    /// An attempt has ended.
    ///
    /// - Parameters:
    ///   - passedOn: Whether it has passed anything on.
    ///   - failure: What it failed with; nil: it did not, or was ended by a limit.
    /// - Returns: What it took; nil: nothing that is billed.
    func settle(_ decoder: ChatStreamDecoder, target: String?, passedOn: Bool, failure: UpstreamError?) -> Usage? {
        guard let usage = decoder.usage(promptTokens: promptTokens) ?? prompt(decoder, failure) else { return nil }
        state.withLock { state in
            state.attempts.append(StreamCost(target: target, model: decoder.model, usage: usage))
            if passedOn { state.running = nil }
        }
        return usage
    }

    /// What an attempt without any content took: its prompt, unless it failed in a way that no target bills.
    ///
    /// A failure that came in the stream is none of those: the target had begun to answer.
    private func prompt(_ decoder: ChatStreamDecoder, _ failure: UpstreamError?) -> Usage? {
        let isUnbilled = decoder.failure == nil && failure?.isUnbilled == true
        guard promptTokens > 0, !isUnbilled else { return nil }
        return Usage(input: promptTokens, source: .estimated)
    }

    /// The error that an attempt is to end with for `failure`: one that may be tried again only where that can help.
    ///
    /// - Parameter passedOn: Whether this attempt has passed anything on.
    func fail(_ failure: UpstreamError, _ resumption: Resumption, passedOn: Bool) -> UpstreamError {
        if failure.outcome.cause == .cancelled { return failure }
        // Another attempt would have to be paid for, too.
        if failure.outcome.cause == .spendLimit {
            state.withLock { state in if passedOn, state.failure == nil { state.failure = failure } }
            return failure
        }
        let (transcript, first) = state.withLock { state in
            if passedOn, state.failure == nil { state.failure = failure }
            return (state.transcript, state.failure)
        }
        if passedOn { return canResume(transcript) ? failure : failure.afterCommit }
        let refusals: [Outcome.Cause] = [.invalidRequest, .contextTooLong, .contentFiltered]
        if resumption.prefill != nil, refusals.contains(failure.outcome.cause) {
            return lost("the target would not continue it: \(failure.message)", after: first)
        }
        return failure
    }

    /// The first failure, where going on failed for a reason that says nothing about the target.
    func lost(_ why: String, after failure: UpstreamError? = nil) -> UpstreamError {
        let first = failure ?? self.failure
        return UpstreamError(
            "the stream was cut: \(first?.message ?? "no more came"); \(why)", .neutral(.truncated),
            status: first?.status, body: first?.body ?? [], contentType: first?.contentType, underlying: first)
    }

    private func canResume(_ transcript: Transcript) -> Bool {
        switch recovery {
        case .fail: false
        case .restart: transcript.isPlain
        case .continue: transcript.isPlain && transcript.isOnlyContent && !transcript.content.isEmpty
        }
    }
}
#endif
