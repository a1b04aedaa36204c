import SpillwayCore
import Testing

@testable import CostLedger

/// Random work against a model of the ledger that remembers every hold and adds up anew each time.
@Suite struct LedgerPropertyTests {
    /// What the model knows of one hold.
    private struct Entry {
        let scopes: [Scope]
        let at: Int64
        var held: Money
        var cost = Money.zero
        var isOpen = true

        var taken: Money { isOpen ? held : cost }
    }

    private struct Model {
        let limits: [SpendLimit]
        var entries: [Entry] = []
        /// The latest window that each scope's limit has seen, which never goes back.
        var windows: [SpendLimit: [Scope: Int64]] = [:]

        /// What counts against `limit` for `scope` at `time`.
        func taken(_ limit: SpendLimit, _ scope: Scope, at time: Int64) -> Money {
            let (start, end) = limit.window.bounds(at: time)
            let from = limit.window.span > 0 ? start - limit.window.span : start
            return entries.filter { entry in
                guard entry.scopes.contains(scope), entry.at < end else { return false }
                let own = limit.window.bounds(at: entry.at)
                return limit.window.span > 0 ? own.end > from : own.start >= from
            }.reduce(.zero) { $0 + $1.taken }
        }

        func admits(_ amount: Money, _ scopes: [Scope], at time: Int64) -> Bool {
            scopes.allSatisfy { scope in
                SpendLimit.of(scope, limits).allSatisfy { limit in
                    limit.hard.map { taken(limit, scope, at: time) + amount <= $0 } ?? true
                }
            }
        }
    }

    @Test func `the ledger decides as one that adds up everything anew`() throws {
        for seed in UInt64(1)...300 { try check(seed) }
    }

    private func check(_ seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let names = (0..<3).map(String.init)
        let windows: [Window] = [
            .minute, .hour, .total, .rolling(.seconds(90), steps: 5), .rolling(.seconds(600), steps: 1),
        ]
        var limits: [SpendLimit] = []
        for kind in [Scope.Kind.tenant, .key, .session] where Bool.random(using: &random) {
            for window in windows.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random)) {
                limits.append(
                    SpendLimit(each: kind, hard: .cents(Int.random(in: 0...2_000, using: &random)), per: window))
            }
        }
        limits.append(SpendLimit(.tenant("0"), hard: .dollars(10), per: windows.randomElement(using: &random)!))
        let ledger = try makeLedger(limits)
        var model = Model(limits: limits)
        var accounts: [(account: Account, scopes: [Scope])] = []
        for _ in 0..<4 {
            let scopes = [Scope.Kind.tenant, .key, .session, .tag].shuffled(using: &random)
                .prefix(Int.random(in: 1...4, using: &random)).map { Scope($0, names.randomElement(using: &random)!) }
            accounts.append((try ledger.account(of: scopes, at: at(0)), scopes))
        }
        var open: [(token: UInt64, entry: Int)] = []
        var now = Int64(0)
        for _ in 0..<80 {
            now += Int64.random(in: 0...40_000_000_000, using: &random)
            let instant = Instant(nanoseconds: now)
            if Int.random(in: 0..<3, using: &random) > 0 || open.isEmpty {
                let (account, scopes) = accounts.randomElement(using: &random)!
                let amount = Money.cents(Int.random(in: 0...600, using: &random))
                let permit = try? ledger.state.hold(amount, account, at: instant)
                #expect((permit != nil) == model.admits(amount, scopes, at: now), "seed \(seed) at \(instant)")
                if let permit {
                    model.entries.append(Entry(scopes: scopes, at: now, held: amount))
                    open.append((permit.token, model.entries.count - 1))
                }
            } else {
                let (token, entry) = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                let held = model.entries[entry].held
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    ledger.state.settle(token, nil, .estimated, .neutral(.cancelled), at: instant)
                case 1:
                    // Overage.
                    model.entries[entry].cost = held + .cents(Int.random(in: 0...100, using: &random))
                    ledger.state.settle(token, model.entries[entry].cost, .provider, .success, at: instant)
                default:
                    model.entries[entry].cost = held.times(Int64.random(in: 0...100, using: &random), over: 100)
                    ledger.state.settle(token, model.entries[entry].cost, .provider, .success, at: instant)
                }
                model.entries[entry].isOpen = false
                // A second settlement says nothing.
                ledger.state.settle(token, .dollars(1_000), .provider, .success, at: instant)
            }
            #expect(ledger.audit() == [], "seed \(seed)")
        }
        for (_, scopes) in accounts {
            for scope in scopes {
                for standing in ledger.standings(of: scope, at: Instant(nanoseconds: now)) {
                    let limit = SpendLimit.of(scope, limits).first { $0.window == standing.window }
                    let expected = model.taken(
                        limit ?? SpendLimit(scope, hard: nil, per: .hour), scope, at: now)
                    #expect(standing.taken == expected, "seed \(seed): \(scope) \(standing.window)")
                }
            }
        }
    }

    @Test func `64 callers at once never spend more than the limit`() async throws {
        let ledger = try makeLedger([
            SpendLimit(.tenant("acme"), hard: .dollars(50), per: .total),
            SpendLimit(each: .key, hard: .dollars(9), per: .hour),
        ])
        let spent = await withTaskGroup(of: Money.self) { group in
            for caller in 0..<64 {
                group.addTask {
                    var random = RandomSource.seeded(UInt64(caller) + 1), spent = Money.zero
                    let account = try? ledger.account(.tenant("acme"), .key("\(caller % 8)"), at: at(0))
                    guard let account else { return spent }
                    for step in 0..<300 {
                        let now = at(Double(step))
                        let amount = Money.cents(Int.random(in: 0...30, using: &random))
                        do throws(Rejection) {
                            let hold = try account.hold(amount, at: now)
                            switch Int.random(in: 0..<4, using: &random) {
                            case 0: hold.void(at: now)
                            case 1: break
                            default:
                                let cost = amount.times(Int64.random(in: 0...100, using: &random), over: 100)
                                spent += cost
                                hold.settle(cost, at: now)
                            }
                        } catch {}
                    }
                    return spent
                }
            }
            return await group.reduce(.zero, +)
        }
        let standing = ledger.standing(.tenant("acme"), at: at(1_000))
        #expect(standing.balance.spent == spent)
        #expect(standing.taken == spent && spent <= .dollars(50) && spent > .dollars(45))
        #expect(ledger.standings(.key, at: at(1_000)).reduce(Money.zero) { $0 + $1.taken } == spent)
        #expect(ledger.open.holds == 0)
        #expect(ledger.audit() == [])
    }
}
