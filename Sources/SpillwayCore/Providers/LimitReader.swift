/// Reads headers about limits, and counts those that cannot be read.
struct LimitReader {
    typealias Reading = ProviderSignals.Reading

    let headers: (String) -> String?
    /// Seconds since 1970 by the answer's own clock.
    let now: Double
    private(set) var unreadable = 0

    init(headers: @escaping (String) -> String?, now: Double) {
        self.headers = headers
        self.now = now
    }

    /// What `provider` says of requests, tokens, tokens of prompts and of answers.
    mutating func readings(
        _ provider: ProviderSignals.Provider
    ) -> (Reading?, Reading?, Reading?, Reading?) {
        switch provider {
        case .openAI, .azure:
            let requests = openAI("requests"), own = openAI("tokens"), projects = openAI("project-tokens")
            return (requests, own.map { own in projects.map { own.scarcer($0) } ?? own } ?? projects, nil, nil)
        case .anthropic:
            return (anthropic("requests"), anthropic("tokens"), anthropic("input-tokens"), anthropic("output-tokens"))
        case .gemini, .bedrock, .other: return (nil, nil, nil, nil)
        }
    }

    /// `x-ratelimit-{limit,remaining,reset}-what`: the reset is a duration, or with Azure whole seconds.
    private mutating func openAI(_ what: String) -> Reading? {
        // Azure says that it does not know with −1, −1 and 0.
        let limit = headers("x-ratelimit-limit-\(what)"), remaining = headers("x-ratelimit-remaining-\(what)")
        if Self.isUnknown(limit) || Self.isUnknown(remaining) { return nil }
        return reading(limit, remaining, headers("x-ratelimit-reset-\(what)")) { text, _ in
            RetryAfter.span(text) ?? RetryAfter.seconds(text)
        }
    }

    /// `anthropic-ratelimit-what-{limit,remaining,reset}`: the reset is a time, which may be past.
    private mutating func anthropic(_ what: String) -> Reading? {
        let name = "anthropic-ratelimit-\(what)-"
        return reading(headers(name + "limit"), headers(name + "remaining"), headers(name + "reset")) {
            RetryAfter.timestamp($0, now: $1)
        }
    }

    /// `retry-after-ms`, `retry-after`, or what the body says; of the body a hint of a quota that lasts a day is none.
    mutating func retryAfter(_ answer: HTTPAnswer) -> Duration? {
        if let text = headers("retry-after-ms"), let wait = noted(RetryAfter.milliseconds(text)) { return wait }
        if let text = headers("retry-after"), let wait = noted(RetryAfter.header(text, now: now)) { return wait }
        if answer.cause == .quotaExhausted { return nil }
        return answer.retryAfter(now: now)
    }

    private mutating func reading(
        _ limit: String?, _ remaining: String?, _ reset: String?, _ span: (String, Double) -> Duration?
    ) -> Reading? {
        if limit == nil, remaining == nil, reset == nil { return nil }
        var reading = Reading()
        if let limit { reading.limit = noted(Self.count(limit).flatMap { $0 > 0 ? $0 : nil }) }
        if let remaining { reading.remaining = noted(Self.count(remaining)) }
        if let reset { reading.reset = noted(span(reset, now)) }
        // More left than there is: one of the two is not true, and nobody knows which.
        if let limit = reading.limit, let remaining = reading.remaining, remaining > limit {
            reading.remaining = noted(nil)
        }
        return reading == Reading() ? nil : reading
    }

    private mutating func noted<Value>(_ value: Value?) -> Value? {
        if value == nil { unreadable += 1 }
        return value
    }

    private static func isUnknown(_ text: String?) -> Bool { text.flatMap { count($0, from: -1) } == -1 }

    /// A whole number from `least` to 10¹².
    private static func count(_ text: String, from least: Int = 0) -> Int? {
        guard let number = Int(text.filter { $0 != " " && $0 != "\t" }), number >= least, number <= Usage.most else {
            return nil
        }
        return number
    }
}
