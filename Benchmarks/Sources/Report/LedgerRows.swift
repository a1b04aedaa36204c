import CLimits
import CostLedger
import Spillway
import SpillwayCore

private func requirePrice(_ model: String) throws -> Price {
    guard let price = PriceBook.common.price(of: model, at: .max) else { fatalError("no price of \(model)") }
    return price
}

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
    let price = try requirePrice("gpt-4o-mini")
    let usage = Usage(input: 1_000, cacheRead: 200, output: 300, reasoning: 50)
    let priced = measure { count in
        for _ in 0..<count { limit_keep(UInt64(bitPattern: ((try? price.cost(of: usage)) ?? .zero).nanodollars)) }
    }
    let gates = try Ledger("gates", prices: .common, .init(limits: [SpendLimit(each: .tenant, hard: .max)]), epoch: 0)
    let gate = try gates.account(.provider("p"), .model("m"), model: "gpt-4o-mini", at: noon)
    let call = Call(
        tokens: .estimate(input: 1_000, maxOutput: 100), payer: try gates.account(.tenant("t"), .key("k"), at: noon))
    let gated = measure { count in
        for _ in 0..<count {
            guard let permit = try? gate.admit(call, at: noon) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    // A hold takes the lock and gives it back, and settling too; the accounts are plain memory.
    return [
        Row("prices.cost", priced, limits.load, "load"),
        Row("ledger.gate", gated, 2 * limits.cas, "2 cas"),
        Row("ledger.hold+settle", one, 2 * limits.cas, "2 cas"),
        Row("ledger.hold+settle", threads: 2, both, 2 * limits.cas, "2 cas"),
    ]
}
