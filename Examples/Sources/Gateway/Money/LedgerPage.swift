import CostLedger
import Foundation
import Spillway

/// The books as the operator sees them.
struct LedgerPage: Encodable {
    /// Amounts are texts: a number of JSON would be read as a `Double`.
    struct Line: Encodable {
        let scope: String
        let window: String
        /// Nil: for ever.
        let started: Date?
        let renews: Date?
        let hardDollars: String?
        let softDollars: String?
        let heldDollars: String
        let spentDollars: String
        let overageDollars: String
        let suspenseDollars: String
        /// What older steps of a rolling window have taken.
        let carriedDollars: String
        let remainingDollars: String?
    }

    /// A hold of which nobody knows what it has cost.
    struct Suspended: Encodable {
        let number: UInt64
        let scopes: [String]
        let began: Date
        let heldDollars: String
    }

    struct Open: Encodable {
        let holds: Int
        let heldDollars: String
    }

    let open: Open
    let standings: [Line]
    let suspense: [Suspended]
    /// What the store last failed with; nil: it does not fail.
    let storeFailure: String?

    /// The books at `now`, of scopes of one kind or of all.
    init(_ ledger: Ledger, _ kind: Scope.Kind?, at now: Instant) {
        ledger.sweep(at: now)
        let (holds, held) = ledger.open
        open = Open(holds: holds, heldDollars: held.digits)
        standings = ledger.standings(kind, at: now).map { Line($0) }.sorted {
            ($0.scope, $0.window) < ($1.scope, $1.window)
        }
        suspense = ledger.suspended().map { posting in
            Suspended(
                number: posting.number, scopes: posting.scopes.map(\.description), began: Date(posting.began),
                heldDollars: posting.held.digits)
        }
        storeFailure = ledger.storeFailure.map { "\($0.kind): \($0.description)" }
    }

    /// The page.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension LedgerPage.Line {
    fileprivate init(_ standing: Standing) {
        let balance = standing.balance
        self.init(
            scope: standing.scope.description, window: standing.window.description,
            started: balance.start == .min ? nil : Date(balance.start), renews: standing.renews.map { Date($0) },
            hardDollars: standing.hard?.digits, softDollars: standing.soft?.digits, heldDollars: balance.held.digits,
            spentDollars: balance.spent.digits, overageDollars: balance.overage.digits,
            suspenseDollars: balance.suspense.digits, carriedDollars: standing.carried.digits,
            remainingDollars: standing.remaining?.digits)
    }
}

extension Date {
    /// From nanoseconds since 1970.
    fileprivate init(_ nanoseconds: Int64) { self.init(timeIntervalSince1970: Double(nanoseconds) / 1e9) }
}
