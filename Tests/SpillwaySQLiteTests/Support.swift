#if SQLiteSupport
import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite

/// A folder of its own for one test, which goes with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("spillway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where the ledger of the test is.
    var ledger: String { path + "/ledger.sqlite" }

    func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: ledger)) }
    func replace(with bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: ledger)) }
}

/// 1 March 2026, noon, in nanoseconds since 1970.
let noon: Int64 = 1_772_366_400_000_000_000
let minute: Int64 = 60_000_000_000
/// What stands still at `noon` when the epoch is that of the test ledgers.
let zero = Instant(nanoseconds: 0)

extension Money {
    static func nano(_ amount: Int64) -> Money { Money(nanodollars: amount) }
}

/// A posting of two scopes, with everything but what is given left at something plain.
func posting(
    _ number: UInt64, _ kind: Posting.Kind = .settled, scopes: [Scope] = [.tenant("acme"), .key("k1")],
    began: Int64 = noon, time: Int64 = noon, held: Int64 = 100, cost: Int64 = 60, usage: Usage? = nil,
    source: Usage.Source = .provider, outcome: Outcome = .success
) -> Posting {
    Posting(
        number: number, kind: kind, operation: number, attempt: 1, scopes: scopes, began: began, time: time,
        held: .nano(held), cost: .nano(cost), usage: usage, source: source, outcome: outcome)
}

func balance(
    _ scope: Scope, _ window: Window, start: Int64, end: Int64, held: Int64 = 0, spent: Int64 = 0, overage: Int64 = 0,
    suspense: Int64 = 0
) -> Balance {
    Balance(
        scope: scope, window: window, start: start, end: end, held: .nano(held), spent: .nano(spent),
        overage: .nano(overage), suspense: .nano(suspense))
}

/// All that a file has, in order of time.
func postings(_ path: String, from: Int64 = .min, to: Int64 = .max, of scope: Scope? = nil) async throws -> [Posting] {
    var all: [Posting] = []
    try await SQLiteLedgerReader(path).postings(from: from, to: to, of: scope) { all.append($0) }
    return all
}

/// What `body` fails with; nil: it does not.
func failure(_ body: () async throws -> Void) async throws -> StoreError? {
    do {
        try await body()
        return nil
    } catch let error as StoreError {
        return error
    }
}
#endif
