import CLimits
import CostLedger
import Spillway
import SpillwayCore

/// What it costs to price a call, to hold money for it over four scopes that are all limited, and to settle it.
func ledgerRows(_ limits: Limits) async throws -> [Row] {
    let ledger = try Ledger(
        "ledger",
        .init(limits: [
            SpendLimit(each: .tenant, hard: .max, soft: .max, per: .month),
            SpendLimit(each: .key, hard: .max, soft: .max, per: .day),
            SpendLimit(each: .model, hard: .max, soft: .max, per: .day),
            SpendLimit(each: .session, hard: .max, soft: .max, per: .rolling(.seconds(600))),
        ]), epoch: 0)
    func account(_ number: Int) throws -> Account {
        try ledger.account(
            .tenant("tenant-\(number)"), .key("key-\(number)"), .model("large"), .session("session-\(number)"), at: noon
        )
    }
    func use(_ account: Account) -> @Sendable (Int) -> Void {
        { count in
            for _ in 0..<count {
                guard let hold = try? account.hold(Money(nanodollars: 9_000), at: noon) else { fatalError("refused") }
                hold.settle(Money(nanodollars: 1), at: noon)
            }
        }
    }
    let one = measure(use(try account(1)))
    let both = await measure(threads: 2, use(try account(2)))
    // The lock twice, and four accounts each time, of which one comes into the cache from the other thread.
    return [
        Row("ledger.hold+settle", one, 2 * limits.cas, "2 cas"),
        Row("ledger.hold+settle", threads: 2, both, 2 * limits.cas, "2 cas"),
    ]
}
