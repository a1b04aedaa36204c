/// Reads how long a target asks to be left alone, in every form in which targets say it.
///
/// All functions return nil for text that is not of the form, and zero for a time that is past.
public enum RetryAfter {
    /// The value of a `Retry-After` header: seconds (`120`, `0.5`) or an HTTP date (RFC 9110, section 10.2.3).
    ///
    /// - Parameters:
    ///   - value: The text of the header.
    ///   - now: Seconds since 1970, from the answer's `Date` header where it has one, else from the wall clock.
    public static func header(_ value: some StringProtocol, now: Double) -> Duration? {
        let text = trimmed(value)
        if let seconds = Double(text) { return duration(seconds: seconds) }
        return HTTPDate.seconds(text).map { duration(seconds: Double($0) - now) ?? .zero }
    }

    /// The value of a `retry-after-ms` header: milliseconds.
    public static func milliseconds(_ value: some StringProtocol) -> Duration? {
        Double(trimmed(value)).flatMap { duration(seconds: $0 / 1_000) }
    }

    /// Seconds as a plain number: Azure's resets.
    static func seconds(_ value: some StringProtocol) -> Duration? {
        Double(trimmed(value)).flatMap { duration(seconds: $0) }
    }

    /// A duration such as `1s`, `6m0s`, `12ms` or `22.5s`: OpenAI's resets and Google's `retryDelay`.
    public static func span(_ value: some StringProtocol) -> Duration? {
        var rest = trimmed(value)[...]
        if rest.isEmpty { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            switch unit {
            case "ns": total += number / 1e9
            case "us", "µs", "μs": total += number / 1e6
            case "ms": total += number / 1e3
            case "s": total += number
            case "m": total += number * 60
            case "h": total += number * 3_600
            case "d": total += number * 86_400
            default: return nil
            }
        }
        return duration(seconds: total)
    }

    /// An RFC 3339 time such as `2026-01-01T00:00:00Z`: Anthropic's resets.
    ///
    /// - Parameters:
    ///   - value: The text.
    ///   - now: Seconds since 1970.
    public static func timestamp(_ value: some StringProtocol, now: Double) -> Duration? {
        HTTPDate.timestamp(trimmed(value)).flatMap { duration(seconds: $0 - now) }
    }

    private static func trimmed(_ value: some StringProtocol) -> String {
        var text = Substring(value)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    /// Zero for a negative number, nil for one that is not finite, at most 10 years.
    private static func duration(seconds: Double) -> Duration? {
        guard seconds.isFinite else { return nil }
        return .nanoseconds(Int64((min(max(seconds, 0), 315_576_000) * 1e9).rounded(.up)))
    }
}
