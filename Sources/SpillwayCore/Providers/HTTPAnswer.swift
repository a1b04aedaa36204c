/// What an HTTP answer says about the target, read as model providers mean it.
///
/// Covers OpenAI, Azure OpenAI, Anthropic, Gemini and Vertex, Bedrock, and plain HTTP. Headers and bodies may be absent,
/// malformed or lying: what cannot be read is passed over.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public let status: Int
    private let headers: @Sendable (String) -> String?
    private let body: String

    /// How much of an error's body is looked at, in bytes.
    public static let bodyLimit = 16_384

    /// An answer.
    ///
    /// - Parameters:
    ///   - status: The status code.
    ///   - headers: The value of the header of a lower-case name; nil when there is none.
    ///   - body: The body of an error; the first ``bodyLimit`` bytes are looked at.
    public init(
        status: Int, headers: @escaping @Sendable (String) -> String? = { _ in nil }, body: some Sequence<UInt8> = []
    ) {
        self.status = status
        self.headers = headers
        self.body = String(decoding: Array(body.prefix(Self.bodyLimit)), as: UTF8.self).lowercased()
    }

    /// How long the target asks to be left alone; nil when it does not say, or not in a form that can be read.
    ///
    /// - Parameter now: Seconds since 1970 by the wall clock, for an answer without a `Date` header.
    public func retryAfter(now: Double) -> Duration? {
        if let value = headers("retry-after-ms"), let wait = RetryAfter.milliseconds(value) { return wait }
        if let value = headers("retry-after") {
            let sent = headers("date").flatMap { HTTPDate.seconds($0) }.map(Double.init)
            if let wait = RetryAfter.header(value, now: sent ?? now) { return wait }
        }
        // Google says it in the body: "retryDelay": "22s".
        return field("retrydelay").flatMap { RetryAfter.span($0) }
    }

    /// What the answer says about the target.
    ///
    /// - Parameter now: Seconds since 1970 by the wall clock.
    public func outcome(now: Double) -> Outcome {
        .of(cause, retryAfter: retryAfter(now: now))
    }

    /// What went wrong; none for a status below 400.
    public var cause: Outcome.Cause {
        switch status {
        case ..<400: .none
        case 400, 404, 405, 413, 415, 422: requestCause
        case 401, 402, 403: .authentication
        case 408, 504: .timeout
        case 424: says("modelstreamerror") ? .serverError : .invalidRequest
        case 425: .overloaded
        case 429: rateCause
        case 503, 529: .overloaded
        case 500...: says("overloaded_error") ? .overloaded : .serverError
        default: .invalidRequest
        }
    }

    private var requestCause: Outcome.Cause {
        if says("context_length_exceeded") || says("prompt is too long") || says("maximum context length") {
            return .contextTooLong
        }
        if says("content_policy_violation") || says("content_filter") || says("responsibleaipolicyviolation") {
            return .contentFiltered
        }
        if says("credit balance is too low") { return .quotaExhausted }
        return .invalidRequest
    }

    private var rateCause: Outcome.Cause {
        // A quota per day can come with a hint of seconds: what it is beats what it says.
        if says("insufficient_quota") || says("perday") || says("billing_hard_limit") { return .quotaExhausted }
        if says("modelnotready") || says("overloaded_error") || says("engine_overloaded") { return .overloaded }
        return .rateLimited
    }

    private func says(_ code: String) -> Bool { body.contains(code) }

    /// The text value of the first field of this lower-case name.
    private func field(_ name: String) -> Substring? {
        guard let key = body.firstRange(of: "\"\(name)\"") else { return nil }
        let value = body[key.upperBound...].drop { $0 != "\"" && $0 != "," && $0 != "}" }
        guard value.first == "\"" else { return nil }
        return value.dropFirst().prefix { $0 != "\"" }
    }
}
