/// The ways in which a replica of the fleet can fail; raw values are the names on the wire.
public enum FaultKind: String, Codable, CaseIterable, Sendable {
    /// 429 with `retry-after` and OpenAI's `x-ratelimit-*` headers.
    case rateLimit = "rate-limit"
    /// 429 without any header that says when to come back.
    case rateLimitBare = "rate-limit-bare"
    /// 500.
    case error500 = "error-500"
    /// 503.
    case error503 = "error-503"
    /// The connection is reset before any response byte.
    case reset
    /// The call is accepted and never answered.
    case noAnswer = "no-answer"
    /// The first token comes later.
    case slowFirstToken = "slow-first-token"
    /// The connection ends abruptly within the answer.
    case cutStream = "cut-stream"
    /// The stream goes silent after some content, but for keep-alive comments.
    case stall
    /// One piece of the answer is broken JSON.
    case malformedChunk = "malformed-chunk"
    /// The stream ends without `[DONE]`.
    case noDone = "no-done"
    /// 500 with a CUDA out of memory message, for long prompts; the engine has half its KV blocks meanwhile.
    case outOfMemory = "out-of-memory"
    /// The call is accepted, its stream opened, and no token ever comes.
    case stuckKernel = "stuck-kernel"
    /// After some content, the stream brings one token at a time, far apart, with keep-alive comments between them.
    case dribble
    /// The stream opens with status 200, and its first event is an error.
    case errorEvent = "error-event"
    /// An error event ends the stream after some content.
    case lateErrorEvent = "late-error-event"
    /// Nothing follows the last chunk: no `[DONE]`, and no end of the stream either.
    case openEnd = "open-end"
    /// 400 with OpenAI's code for a prompt that does not fit.
    case contextLength = "context-length"
    /// The answer breaks off with the finish reason `content_filter`.
    case contentFilter = "content-filter"
    /// 400 with OpenAI's code for a prompt that the provider's filter refuses.
    case contentPolicy = "content-policy"
    /// 400 for calls whose last message is the beginning of the answer; others are served well.
    case noPrefill = "no-prefill"
}
