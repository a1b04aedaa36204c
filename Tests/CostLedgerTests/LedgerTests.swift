import SpillwayCore
import SpillwayTesting
import Testing

@testable import CostLedger

@Suite struct LedgerTests {
    private let acme = Scope.tenant("acme")

    @Test func `a hold counts at once, and is settled with what it came to`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10))])
        let account = try ledger.account(acme, at: at(0))
        let hold = try account.hold(.dollars(6), at: at(1))
        #expect(ledger.standing(acme, at: at(1)).balance.held == .dollars(6))
        #expect(!account.spend(.dollars(5), at: at(2)))
        hold.settle(.dollars(2), at: at(3))
        #expect(ledger.standing(acme, at: at(3)).balance.spent == .dollars(2))
        #expect(account.remaining(at: at(3)) == .dollars(8))
        #expect(account.spend(.dollars(8), at: at(4)))
        #expect(!account.spend(Money(nanodollars: 1), at: at(5)))
        #expect(ledger.audit() == [])
    }

    @Test func `what it cost above the hold is overage, and never clamped`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10))])
        let account = try ledger.account(acme, at: at(0))
        try account.hold(.dollars(4), at: at(1)).settle(.dollars(25), at: at(2))
        let standing = ledger.standing(acme, at: at(2))
        #expect(standing.balance.spent == .dollars(4))
        #expect(standing.balance.overage == .dollars(21))
        #expect(standing.taken == .dollars(25))
        #expect(standing.remaining == .zero)
        #expect(!account.spend(Money(nanodollars: 1), at: at(3)))
        #expect(ledger.audit() == [])
    }

    @Test func `all scopes are charged, or none`() throws {
        let ledger = try makeLedger([
            SpendLimit(acme, hard: .dollars(10)), SpendLimit(.key("k"), hard: .dollars(1), per: .day),
        ])
        let account = try ledger.account(acme, .key("k"), .model("large"), at: at(0))
        #expect(!account.spend(.dollars(2), at: at(1)))
        #expect(ledger.standing(acme, at: at(1)).taken == .zero)
        #expect(ledger.standing(.model("large"), at: at(1)).taken == .zero)
        #expect(account.spend(.dollars(1), at: at(2)))
        for scope in account.scopes { #expect(ledger.standing(scope, at: at(2)).taken == .dollars(1)) }
    }

    @Test func `a hold that is dropped or voided gives everything back`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10))])
        let account = try ledger.account(acme, at: at(0))
        try account.hold(.dollars(10), at: at(1)).void(at: at(2))
        do { _ = try account.hold(.dollars(10), at: at(3)) }
        #expect(ledger.open.holds == 0)
        #expect(ledger.standing(acme, at: at(4)).taken == .zero)
        #expect(account.spend(.dollars(10), at: at(4)))
    }

    @Test func `a refusal says when the window renews, or that none does`() throws {
        let ledger = try makeLedger([
            SpendLimit(acme, hard: .dollars(10), per: .hour), SpendLimit(.user("bob"), hard: .dollars(1), per: .total),
        ])
        let account = try ledger.account(acme, at: at(0)), bob = try ledger.account(.user("bob"), at: at(0))
        #expect(account.spend(.dollars(9), at: at(10)))
        #expect(account.refusal(.dollars(2), at: at(600))?.retryAfter == .seconds(3_000))
        #expect(account.refusal(.dollars(2), at: at(600))?.reason == .spendLimit)
        // What is beyond the whole limit is never held.
        #expect(account.refusal(.dollars(11), at: at(600))?.retryAfter == nil)
        #expect(bob.spend(.dollars(1), at: at(1)))
        #expect(bob.refusal(.cents(1), at: at(2)).map { $0.retryAfter == nil } == true)
        #expect(account.refusal(Money(nanodollars: -1), at: at(600)) != nil)
    }

    @Test func `the observer is told of a soft limit once in a window`() throws {
        let observer = RecordingObserver()
        let ledger = try makeLedger(
            [SpendLimit(acme, hard: .dollars(10), soft: .dollars(5), per: .hour)], observer: observer)
        let account = try ledger.account(acme, at: at(0))
        for second in 1...8 { #expect(account.spend(.dollars(1), at: at(Double(second)))) }
        #expect(observer.transitions.map(\.to) == ["over the soft limit"])
        #expect(observer.transitions.first?.at == at(6))
        for second in 1...6 { #expect(account.spend(.dollars(1), at: at(3_600 + Double(second)))) }
        #expect(observer.transitions.count == 2)
    }

    @Test func `in shadow it reports and refuses nothing`() throws {
        let observer = RecordingObserver()
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(1))], observer: observer) { $0.shadow = true }
        let account = try ledger.account(acme, at: at(0))
        #expect(account.spend(.dollars(3), at: at(1)))
        #expect(account.spend(.dollars(3), at: at(2)))
        #expect(observer.shadowed.count == 2)
        let hold = try account.hold(.zero, at: at(2))
        let isHeld = hold.extend(to: .dollars(9), at: at(2))
        hold.void(at: at(2))
        #expect(isHeld)
        #expect(ledger.standing(acme, at: at(2)).balance.spent == .dollars(6))
        #expect(ledger.audit(limitsHeld: false) == [])
    }

    @Test func `more is held for a call that grows, in all scopes or in none`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10)), SpendLimit(.key("k"), hard: .dollars(5))])
        let account = try ledger.account(acme, .key("k"), at: at(0))
        let hold = try account.hold(.dollars(1), at: at(1))
        let grown = [(5, 2.0), (6, 3), (2, 3)].map { hold.extend(to: .dollars($0.0), at: at($0.1)) }
        #expect(grown == [true, false, true])
        #expect(ledger.standing(acme, at: at(3)).taken == .dollars(5))
        hold.settle(.dollars(5), at: at(4))
        #expect(ledger.standing(acme, at: at(4)).balance.overage == .zero)
        #expect(ledger.audit() == [])
    }

    @Test func `limits change while calls are under way`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .dollars(10)), SpendLimit(each: .tenant, hard: .cents(1))])
        let account = try ledger.account(acme, at: at(0))
        let hold = try account.hold(.dollars(4), at: at(1))
        #expect(account.spend(.dollars(3), at: at(1)))
        let limits = [SpendLimit(acme, hard: .dollars(8)), SpendLimit(acme, hard: .dollars(2), per: .day)]
        try ledger.update(limits: limits, at: at(2))
        // The month goes on with what was spent; the day is new.
        #expect(!account.spend(.dollars(2), at: at(3)))
        #expect(account.spend(.dollars(1), at: at(3)))
        hold.settle(.dollars(1), at: at(4))
        #expect(ledger.standings(of: acme, at: at(4)).map(\.taken) == [.dollars(5), .dollars(1)])
        try ledger.update(limits: [], at: at(5))
        #expect(account.spend(.dollars(1_000), at: at(5)))
        #expect(ledger.audit() == [])
        #expect(throws: ConfigurationError.self) {
            try ledger.update(limits: [SpendLimit(acme, hard: .dollars(1), soft: .dollars(2))], at: at(6))
        }
        #expect(account.spend(.dollars(1_000), at: at(7)))
    }

    @Test func `a hold outlives its account and its ledger`() throws {
        var ledger: Ledger? = try makeLedger([SpendLimit(acme, hard: .dollars(10))])
        func hold() throws -> Hold { try ledger!.account(acme, at: at(0)).hold(.dollars(1), at: at(1)) }
        let first = try hold(), second = try hold()
        #expect(ledger?.standing(acme, at: at(1)).balance.held == .dollars(2))
        ledger = nil
        first.settle(.dollars(1), at: at(2))
        _ = consume second
    }

    @Test(
        arguments: [
            ([SpendLimit(.tenant(""), hard: .zero)], "name"), ([SpendLimit(.tenant("a"), hard: nil)], "hard"),
            ([SpendLimit(.tenant("a"), hard: Money(nanodollars: -1))], "hard"),
            ([SpendLimit(.tenant("a"), hard: .cents(1), soft: .cents(2))], "soft"),
            ([SpendLimit(each: .key, hard: .cents(1), per: .rolling(.seconds(1), steps: 0))], "steps"),
            ([SpendLimit(each: .key, hard: .cents(1), per: .rolling(.zero))], "window"),
            ([SpendLimit(each: .key, hard: .cents(1)), SpendLimit(each: .key, hard: .cents(2))], "limits"),
            (
                [Window.minute, .hour, .day, .week, .month].map { SpendLimit(.key("k"), hard: .cents(1), per: $0) },
                "limits"
            ),
        ] as [([SpendLimit], String)])
    func `limits that cannot be are refused by name`(limits: [SpendLimit], field: String) {
        #expect { try makeLedger(limits) } throws: { ($0 as? ConfigurationError)?.field == field }
    }

    @Test func `accounts that cannot be are refused by name`() throws {
        let ledger = try makeLedger([]) { $0.scopes = 2 }
        func field(_ scopes: [Scope]) -> String? {
            do throws(ConfigurationError) { _ = try ledger.account(of: scopes) } catch { return error.field }
            return nil
        }
        #expect(field([]) == "scopes")
        #expect(field([acme, acme]) == "scopes")
        #expect(field([.tag("")]) == "name")
        #expect(field((0..<9).map { .tag("\($0)") }) == "scopes")
        let one = try ledger.account(acme), two = try ledger.account(.key("k"))
        #expect(field([.key("l")]) == "scopes")
        #expect(one.spend(.dollars(1), at: at(1)) && two.spend(.dollars(1), at: at(1)))
    }

    @Test func `scopes that nobody pays for make room`() throws {
        let ledger = try makeLedger([SpendLimit(each: .session, hard: .dollars(1), per: .hour)]) { $0.scopes = 3 }
        for hour in 0..<50 {
            let now = at(Double(hour) * 3_600 + 1)
            for session in 0..<3 {
                let account = try ledger.account(.session("\(hour)-\(session)"), at: now)
                #expect(account.spend(.dollars(1), at: now))
            }
            // Within their window they stay: else a session could begin again with nothing spent.
            #expect(throws: ConfigurationError.self) { try ledger.account(.session("more"), at: now) }
            let again = try ledger.account(.session("\(hour)-0"), at: now)
            #expect(!again.spend(.cents(1), at: now))
        }
        #expect(ledger.audit() == [])
        #expect(ledger.state.withBooks { $0.books.count } <= 8)
    }
}
