import SpillwayCore

@testable import CostLedger

/// Seconds after the clock's origin, which is the beginning of 1970 in these tests.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// A ledger whose clock begins with 1970.
func makeLedger(
    _ limits: [SpendLimit], prices: PriceBook = PriceBook(), observer: (any Observer)? = nil,
    _ change: (inout Ledger.Configuration) -> Void = { _ in }
) throws -> Ledger {
    var configuration = Ledger.Configuration(limits: limits)
    change(&configuration)
    return try Ledger("ledger", prices: prices, configuration, observer: observer, epoch: 0)
}

extension Account {
    /// Spends `amount`, or says why not.
    @discardableResult
    func refusal(_ amount: Money, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try hold(amount, at: now).settle(amount, at: now)
            return nil
        } catch {
            return error
        }
    }

    /// Whether `amount` could be spent; it is, for good.
    @discardableResult
    func spend(_ amount: Money, at now: Instant) -> Bool { refusal(amount, at: now) == nil }
}

extension Ledger {
    /// How `scope` stands in its only window.
    func standing(_ scope: Scope, at now: Instant) -> Standing { standings(of: scope, at: now)[0] }
}
