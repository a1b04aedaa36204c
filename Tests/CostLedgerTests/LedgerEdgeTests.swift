import SpillwayCore
import SpillwayTesting
import Testing

@testable import CostLedger

/// What a reading of the ledger found.
@Suite struct LedgerEdgeTests {
    private let acme = Scope.tenant("acme")

    private func balance(_ scope: Scope, _ window: Window, _ start: Int64, _ spent: Money) -> Balance {
        Balance(
            scope: scope, window: window, start: start, end: window.bounds(at: start).end, held: .zero, spent: spent,
            overage: .zero, suspense: .zero)
    }

    private func restored(
        _ limits: [SpendLimit], _ balances: [Balance], scopes: Int = 100, at now: Instant
    ) throws -> Ledger {
        let ledger = try makeLedger(limits) { $0.scopes = scopes }
        try ledger.state.withBooks { books throws(StoreError) in
            try books.restore(LedgerImage(lastNumber: 9, balances: balances), at: now)
        }
        return ledger
    }

    @Test func `no account is given to two scopes, however many are restored`() throws {
        let balances = (0..<5).map { balance(.session("\($0)"), .hour, 0, .dollars(1)) }
        #expect(throws: StoreError.self) { try restored([], balances, scopes: 3, at: at(1)) }
        let ledger = try restored(
            [SpendLimit(each: .session, hard: .dollars(2), per: .hour)], balances, scopes: 5, at: at(1))
        for hour in 1..<20 {
            let now = at(Double(hour) * 3_600 + 2)
            let accounts = try (0..<5).map { try ledger.account(.session("\(hour)-\($0)"), at: now) }
            for account in accounts { account.spend(.dollars(2), at: now) }
            let free = ledger.state.withBooks { $0.freeBooks }
            #expect(Set(free).count == free.count)
            #expect(ledger.audit() == [])
        }
    }

    @Test func `after a clock that was set back, what was spent in windows to come still counts`() throws {
        for window in [Window.day, .rolling(.seconds(600), steps: 10)] {
            let step: Int64 = window == .day ? 86_400_000_000_000 : 60_000_000_000
            let limit = SpendLimit(acme, hard: .dollars(10), per: window)
            let balances = (0..<3).map { balance(acme, window, Int64($0) * step, .dollars(3)) }
            let ledger = try restored([limit], balances, at: at(1))
            #expect(ledger.standing(acme, at: at(1)).taken == .dollars(9))
            let account = try ledger.account(acme, at: at(1))
            #expect(!account.spend(.dollars(2), at: at(1)))
            #expect(account.spend(.dollars(1), at: at(1)))
            #expect(ledger.audit() == [])
        }
    }

    @Test func `amounts at the ends of the range end no process`() throws {
        let ledger = try makeLedger([SpendLimit(acme, hard: .max, soft: .dollars(1), per: .total)]) { $0.shadow = true }
        let account = try ledger.account(acme, at: at(0))
        let first = try account.hold(.dollars(1), at: at(1))
        let grown = [Money(nanodollars: .min), .max].map { first.extend(to: $0, at: at(1)) }
        #expect(grown == [true, true])
        // Nothing more can be counted, not even in shadow.
        #expect(!account.spend(.cents(1), at: at(1)))
        first.settle(.max, at: at(2))
        #expect(ledger.standing(acme, at: at(3)).taken == .max)
    }

    @Test func `overage that passes a soft limit is told of`() throws {
        let observer = RecordingObserver()
        let ledger = try makeLedger([SpendLimit(acme, hard: nil, soft: .dollars(5))], observer: observer)
        try ledger.account(acme, at: at(0)).hold(.dollars(1), at: at(1)).settle(.dollars(6), at: at(2))
        #expect(observer.transitions.count == 1)
    }

    @Test func `an account with more limits than one call can touch is refused`() throws {
        let windows: [Window] = [.minute, .hour, .day, .month]
        let kinds = Scope.Kind.allCases.prefix(5)
        let ledger = try makeLedger(
            kinds.flatMap { kind in windows.map { SpendLimit(each: kind, hard: .dollars(1), per: $0) } })
        #expect(throws: ConfigurationError.self) { try ledger.account(of: kinds.map { Scope($0, "x") }) }
        _ = try ledger.account(of: kinds.prefix(4).map { Scope($0, "x") })
    }

    @Test func `the last hold is settled on one thread while the ledger goes on another`() async throws {
        for _ in 0..<300 {
            let (account, hold) = try { () throws -> (Account, RawPermit) in
                let account = try makeLedger([SpendLimit(acme, hard: .max)]).account(acme, at: at(0))
                return (account, try account.ledger.state.hold(.cents(1), account, at: at(1)))
            }()
            let kept = Locked<Account?>(account)
            async let gone: Void = { kept.withLock { $0 = nil } }()
            async let settled: Void = { hold.settle(.success, at: at(2)) }()
            _ = await (gone, settled)
        }
    }
}
