#if SQLiteSupport
internal import CostLedger
internal import SpillwayCore

/// A posting as a row, column by column.
enum PostingColumns {
    /// One column for each meter, by its raw value.
    static let meters = [
        "input", "cache_read", "cache_write", "cache_write_hour", "cache_write_half_day", "output", "reasoning",
        "audio_input", "audio_cache_read", "audio_output", "image_input", "image_output", "images", "requests",
        "milliseconds", "tool_calls",
    ]
    /// By raw value.
    static let verdicts: [Outcome.Verdict] = [.success, .failure, .neutral]

    /// Those whose raw value is part of an id.
    static let kinds: [Posting.Kind] = [.held, .settled, .voided, .suspended]

    static let list = older + ", saved"
    private static let older =
        "id, operation, attempt, scopes, began, time, held, cost, source, verdict, cause, retry_after, usage_source, "
        + meters.joined(separator: ", ")
    private static let count = 14 + meters.count

    /// The columns of a file whose layout is `version`, as ``list``.
    static func list(_ version: Int64?) -> String { version ?? 0 >= 2 ? list : older + ", NULL" }

    /// Leaves a posting that is there already as it is, but for a hold that has grown.
    static let insert =
        "INSERT INTO postings (\(list)) VALUES (\(Array(repeating: "?", count: count).joined(separator: ", "))) "
        + "ON CONFLICT (id) DO UPDATE SET held = excluded.held WHERE id % 4 = 0 AND held < excluded.held"

    static func id(_ posting: Posting) throws -> Int64 {
        guard posting.number <= UInt64(Int64.max >> 2) else {
            throw StoreError(.other, "the number \(posting.number) is too large for SQLite")
        }
        let kind: Posting.Kind = posting.kind == .saved ? .settled : posting.kind
        return Int64(posting.number) << 2 | Int64(kind.rawValue)
    }

    /// Binds all columns.
    static func bind(_ posting: borrowing Posting, _ id: Int64, scopes: Int64, to statement: Statement) {
        statement.bind(1, id)
        statement.bind(2, Int64(bitPattern: posting.operation))
        statement.bind(3, Int64(posting.attempt))
        statement.bind(4, scopes)
        statement.bind(5, posting.began)
        statement.bind(6, posting.time)
        statement.bind(7, posting.held.nanodollars)
        statement.bind(8, posting.cost.nanodollars)
        statement.bind(9, Int64(posting.source.rawValue))
        statement.bind(10, Int64(posting.outcome.verdict.rawValue))
        if posting.outcome.cause == .none {
            statement.bindNull(11)
        } else {
            statement.bind(11, posting.outcome.cause.description)
        }
        statement.bind(12, posting.outcome.retryAfter?.clampedNanoseconds)
        statement.bind(Int32(count), posting.kind == .saved ? posting.saved.nanodollars : nil)
        guard let usage = posting.usage else {
            for column in 13..<Int32(count) { statement.bindNull(column) }
            return
        }
        statement.bind(13, Int64(usage.source.rawValue))
        for index in 0..<16 { statement.bind(Int32(14 + index), usage.counts[index]) }
    }

    /// The posting of a row whose columns are ``list``.
    static func posting(_ row: Statement, scopes: [Scope], _ path: String) throws -> Posting {
        let id = row[0]
        let saved = row.optional(Int32(count - 1))
        guard let kind = saved == nil ? Posting.Kind(rawValue: UInt8(id & 3)) : .saved,
            let source = Usage.Source(rawValue: UInt8(clamping: row[8])),
            let attempt = UInt32(exactly: row[2]), let verdict = Outcome.Verdict(rawValue: UInt8(clamping: row[9])),
            let cause = row.text(10).map({ Outcome.Cause($0) }) ?? Outcome.Cause.none
        else { throw StoreError(.corrupt, "\(path): posting \(id >> 2) makes no sense") }
        let hint = row.optional(11).map { Duration.nanoseconds($0) }
        let outcome: Outcome =
            switch verdict {
            case .success: .of(cause, retryAfter: hint)
            case .failure: .failure(cause, retryAfter: hint)
            case .neutral: .neutral(cause, retryAfter: hint)
            }
        var usage: Usage?
        if let source = row.optional(12) {
            guard let source = Usage.Source(rawValue: UInt8(clamping: source)) else {
                throw StoreError(.corrupt, "\(path): the usage of posting \(id >> 2) makes no sense")
            }
            var counted = Usage(requests: 0, source: source)
            for meter in Usage.Meter.allCases { counted[meter] = Int(row[Int32(13 + meter.rawValue)]) }
            usage = counted
        }
        return Posting(
            number: UInt64(id >> 2), kind: kind, operation: UInt64(bitPattern: row[1]), attempt: attempt,
            scopes: scopes,
            began: row[4], time: row[5], held: Money(nanodollars: row[6]), cost: Money(nanodollars: row[7]),
            saved: Money(nanodollars: saved ?? 0), usage: usage, source: source, outcome: outcome)
    }
}
#endif
