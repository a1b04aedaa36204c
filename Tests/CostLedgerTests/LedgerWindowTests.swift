import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct LedgerWindowTests {
    private let acme = Scope.tenant("acme")

    @Test func `a reset does not race a posting`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10), per: .hour)])
        let account = try ledger.account(acme, at: at(0))
        let late = try account.hold(.dollars(10), at: at(3_599))
        // The new window is another account: what was held in the old one takes nothing from it, and gives nothing to it.
        #expect(account.spend(.dollars(9), at: at(3_600)))
        late.settle(.dollars(12), at: at(3_601))
        #expect(ledger.standing(acme, at: at(3_601)).taken == .dollars(9))
        #expect(!account.spend(.dollars(2), at: at(3_602)))
        #expect(account.spend(.dollars(10), at: at(7_200)))
        #expect(ledger.audit() == [])
    }

    @Test func `a hold whose time was read before the window began counts in the window there is`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10), per: .hour)])
        let account = try ledger.account(acme, at: at(3_599))
        #expect(account.spend(.dollars(9), at: at(3_600)))
        #expect(!account.spend(.dollars(2), at: at(3_599.9)))
    }

    @Test func `a rolling window forgets a step when all of it is older than the span`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10), per: .rolling(.seconds(60), steps: 6))])
        let account = try ledger.account(acme, at: at(0))
        #expect(account.spend(.dollars(6), at: at(5)))
        #expect(account.spend(.dollars(4), at: at(15)))
        for second in [20.0, 59, 65, 69.9] { #expect(!account.spend(.dollars(1), at: at(second))) }
        #expect(account.spend(.dollars(6), at: at(70)))
        #expect(!account.spend(.dollars(1), at: at(79.9)))
        #expect(account.spend(.dollars(4), at: at(80)))
        #expect(ledger.audit() == [])
    }

    @Test func `a refusal of a rolling window says when the amount fits`() throws {
        for seed in UInt64(1)...100 {
            var random = RandomSource.seeded(seed)
            let steps = Int.random(in: 1...13, using: &random)
            let limit = SpendLimit(acme, hard: .dollars(10), per: .rolling(.seconds(60), steps: steps))
            let ledger = try makeLedger([limit])
            let account = try ledger.account(acme, at: at(0))
            var now = at(1)
            for _ in 0..<40 {
                now = now.advanced(by: .milliseconds(Int64.random(in: 0...9_000, using: &random)))
                let amount = Money.cents(Int.random(in: 1...900, using: &random))
                guard let wait = account.refusal(amount, at: now)?.retryAfter else { continue }
                // Not before, and then.
                #expect(!account.spend(amount, at: now.advanced(by: wait - .nanoseconds(1))), "seed \(seed)")
                now = now.advanced(by: wait)
                #expect(account.spend(amount, at: now), "seed \(seed)")
            }
        }
    }

    @Test func `what is settled late counts in the step in which it was held`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10), per: .rolling(.seconds(60), steps: 6))])
        let account = try ledger.account(acme, at: at(0))
        let hold = try account.hold(.dollars(8), at: at(5))
        #expect(account.spend(.dollars(1), at: at(45)))
        #expect(!account.spend(.dollars(2), at: at(46)))
        hold.settle(.dollars(3), at: at(50))
        #expect(ledger.standing(acme, at: at(50)).carried == .dollars(4))
        #expect(account.spend(.dollars(6), at: at(51)))
        #expect(!account.spend(.dollars(1), at: at(69)))
        #expect(account.spend(.dollars(3), at: at(70)))
        #expect(ledger.audit() == [])
    }

    /// By brute force: over every span that ends at a call, no more than the limit was spent.
    @Test func `no span of a rolling window sees more than the limit`() throws {
        for seed in UInt64(1)...200 {
            var random = RandomSource.seeded(seed)
            let steps = Int.random(in: 1...20, using: &random)
            let limit = SpendLimit(acme, hard: .dollars(10), per: .rolling(.seconds(60), steps: steps))
            let ledger = try makeLedger([limit])
            let account = try ledger.account(acme, at: at(0))
            var now = 0.0, spent: [(at: Double, amount: Money)] = []
            for _ in 0..<200 {
                now += Double.random(in: 0...10, using: &random)
                let amount = Money.cents(Int.random(in: 1...400, using: &random))
                let last = spent.filter { $0.at > now - 60 }.reduce(Money.zero) { $0 + $1.amount }
                if account.spend(amount, at: at(now)) {
                    spent.append((now, amount))
                    #expect(last + amount <= .dollars(10), "seed \(seed)")
                } else {
                    // Refused only for what was spent in the span and one step before it.
                    let reach = 60 + 60 / Double(steps)
                    let wide = spent.filter { $0.at > now - reach - 1e-6 }.reduce(Money.zero) { $0 + $1.amount }
                    #expect(wide + amount > .dollars(10), "seed \(seed)")
                }
            }
            #expect(ledger.audit() == [], "seed \(seed)")
        }
    }

    @Test func `a clock that goes back, forward and 30 days ahead`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10), per: .month)])
        let account = try ledger.account(acme, at: at(1_000_000))
        #expect(account.spend(.dollars(10), at: at(1_000_000)))
        #expect(!account.spend(.dollars(1), at: at(-1_000_000)))
        #expect(account.spend(.dollars(10), at: at(40 * 86_400)))
        #expect(!account.spend(.dollars(1), at: at(1_000_000)))
        #expect(ledger.audit() == [])
        #expect(!account.spend(.dollars(11), at: .distantFuture))
        #expect(account.spend(.dollars(10), at: .distantFuture))
    }

    @Test func `a session that loops is stopped by its rate of spend`() throws {
        let ledger = try makeLedger([
            SpendLimit(each: .session, hard: .dollars(2), per: .rolling(.seconds(600))),
            SpendLimit(each: .tenant, hard: .dollars(1_000)),
        ])
        let agent = try ledger.account(acme, .session("loop"), at: at(0))
        let person = try ledger.account(acme, .session("chat"), at: at(0))
        var steps = 0, asked = 0, refusal: Rejection?
        // An agent that calls itself every two seconds at five cents, for an hour.
        for second in stride(from: 0.0, to: 3_600, by: 2) {
            asked += 1
            if let no = agent.refusal(.cents(5), at: at(second)) { refusal = refusal ?? no } else { steps += 1 }
            if second.truncatingRemainder(dividingBy: 60) == 0 { #expect(person.spend(.cents(5), at: at(second))) }
        }
        #expect(asked == 1_800)
        // Six spans of two dollars at most, one cent less for none.
        #expect(steps <= 6 * 40 && steps >= 5 * 40)
        #expect(refusal?.reason == .spendLimit)
        #expect(ledger.standing(acme, at: at(3_600)).taken == .cents(5 * (steps + 60)))
    }
}
