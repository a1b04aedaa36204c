import CostLedger
import Foundation
import SpillwayCore

/// A journal: one posting a line, in JSON.
struct JournalFile: PostingSource {
    private let path: String
    private let data: Data

    /// Takes the file's content; refuses what does not begin like a journal.
    init(_ path: String, _ data: Data) throws {
        guard data.isEmpty || data.first == UInt8(ascii: "{") else {
            throw InputError("\(path) is neither the file of a ledger nor a journal")
        }
        self.path = path
        self.data = data
    }

    func read(_ body: (Posting) throws -> Void) async throws {
        let decoder = JSONDecoder()
        var number = 0
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.isEmpty else { continue }
            let posting: Posting
            do { posting = try decoder.decode(JournalLine.self, from: line).posting() } catch {
                throw InputError("\(path), line \(number): \(Self.describe(error))")
            }
            try body(posting)
        }
    }

    /// The posting as a line of a journal, with its line end.
    static func line(_ posting: Posting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(JournalLine(posting)), as: UTF8.self) + "\n"
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as InputError: error.description
        case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        default: "no JSON of a posting"
        }
    }
}

/// A posting in JSON: times in nanoseconds since 1970, amounts as decimals in strings.
private struct JournalLine: Codable {
    var number: UInt64
    var kind: String
    var operation: UInt64
    var attempt: UInt32
    var scopes: [String]
    var began: Int64
    var time: Int64
    var held: String
    var cost: String
    /// Only of an answer that was saved.
    var saved: String?
    var usage: [String: Int]?
    var usageSource: String?
    var source: String
    var outcome: String

    init(_ posting: Posting) {
        number = posting.number
        kind = "\(posting.kind)"
        operation = posting.operation
        attempt = posting.attempt
        scopes = posting.scopes.map(\.description)
        began = posting.began
        time = posting.time
        held = ReportTable.Cell.money(posting.held).plain
        cost = ReportTable.Cell.money(posting.cost).plain
        if posting.kind == .saved { saved = ReportTable.Cell.money(posting.saved).plain }
        if let used = posting.usage {
            let counts = Usage.Meter.allCases.filter { used[$0] != 0 }.map { ("\($0)", used[$0]) }
            usage = Dictionary(uniqueKeysWithValues: counts)
            usageSource = "\(used.source)"
        }
        source = "\(posting.source)"
        outcome = "\(posting.outcome.verdict) \(posting.outcome.cause)"
    }

    func posting() throws -> Posting {
        var used: Usage?
        if let usage {
            var sum = Usage(requests: 0, source: try Self.named(usageSource ?? source, "usageSource"))
            for (name, count) in usage { sum[try Self.named(name, "usage") as Usage.Meter] = count }
            used = sum
        }
        return Posting(
            number: number, kind: try Self.named(kind, "kind"), operation: operation, attempt: attempt,
            scopes: try scopes.map(Self.scope), began: began, time: time, held: try Self.money(held, "held"),
            cost: try Self.money(cost, "cost"),
            saved: try saved.map { try Self.money($0, "saved") } ?? .zero, usage: used,
            source: try Self.named(source, "source"),
            outcome: try Self.outcome(outcome))
    }

    private static func named<Value: CaseIterable>(_ name: String, _ field: String) throws -> Value {
        guard let value = Value.allCases.first(where: { "\($0)" == name }) else {
            throw InputError("\(field) is '\(name)'")
        }
        return value
    }

    private static func scope(_ text: String) throws -> Scope {
        guard let scope = try? Parse.scope(text) else { throw InputError("'\(text)' is no scope") }
        return scope
    }

    private static func money(_ text: String, _ field: String) throws -> Money {
        guard let money = Money(dollars: text) else { throw InputError("\(field) is '\(text)'") }
        return money
    }

    private static let causes: [Outcome.Cause] =
        [
            .none, .unknown, .connect, .transport, .timeout, .serverError, .overloaded, .rateLimited, .quotaExhausted,
            .authentication, .invalidRequest, .contextTooLong, .contentFiltered, .malformed, .truncated, .cancelled,
            .rejected, .unacceptable, .slow,
        ] + (0..<16).map(Outcome.Cause.custom)

    private static func outcome(_ text: String) throws -> Outcome {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let cause = causes.first(where: { $0.description == parts[1] }) else {
            throw InputError("outcome is '\(text)'")
        }
        switch parts[0] {
        case "success" where cause == .none: return .success
        case "success" where cause == .slow: return .slow
        case "failure": return .failure(cause)
        case "neutral": return .neutral(cause)
        default: throw InputError("outcome is '\(text)'")
        }
    }
}
