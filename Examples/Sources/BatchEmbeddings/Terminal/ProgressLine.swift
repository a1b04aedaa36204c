import SpillwayCore

/// How a run stands, in one line.
struct ProgressLine: Sendable, Equatable {
    /// Passages that are done, of all.
    var done: Int
    var passages: Int
    var failed = 0
    /// The share of the work that is done, by tokens.
    var share: Double
    /// Tokens a second of late; nil: not known yet.
    var rate: Double?
    /// Until all is done; nil: not known yet.
    var left: Duration?
    var inFlight = 0
    /// How many may be in flight.
    var limit = 0
    var rateLimited = 0

    /// With a bar, cut to fit `width` columns; without one for 0.
    func text(width: Int) -> String {
        var parts = ["\(Int(share * 100))%", "\(done)/\(passages) passages"]
        if let rate { parts.append("\(Self.short(rate)) tokens/s") }
        if let left { parts.append("\(Clock.text(left)) left") }
        parts.append("\(inFlight)/\(limit) in flight")
        if rateLimited > 0 { parts.append("\(rateLimited) × 429") }
        if failed > 0 { parts.append("\(failed) refused") }
        let words = parts.joined(separator: "  ")
        guard width > 0 else { return words }
        let room = min(30, width - words.count - 5)
        guard room >= 5 else { return String(words.prefix(max(0, width - 1))) }
        let filled = Int((share * Double(room)).rounded(.down))
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: room - filled) + "]  "
            + words
    }

    /// With at most four digits, such as `980`, `12.3k` or `4.5M`.
    static func short(_ number: Double) -> String {
        for (size, sign) in [(1e6, "M"), (1e3, "k")] where number >= size {
            return "\((number / size * 10).rounded() / 10)\(sign)"
        }
        return "\(Int(number.rounded()))"
    }
}

/// Where the progress of a run can be read.
struct ProgressSource: Sendable {
    let tally: Tally
    let calls: EmbeddingCalls

    func line(at now: Instant) -> ProgressLine {
        let counts = tally.counts, rate = tally.rate(at: now), rest = counts.tokensToDo - counts.tokensDone
        return ProgressLine(
            done: counts.known + counts.embedded + counts.failed, passages: counts.passages, failed: counts.failed,
            share: counts.tokensToDo > 0 ? Double(counts.tokensDone) / Double(counts.tokensToDo) : 1, rate: rate,
            left: rate.map { .seconds(Double(rest) / $0) }, inFlight: calls.limit.inFlight, limit: calls.limit.limit,
            rateLimited: calls.counts.counts.rateLimited)
    }
}
