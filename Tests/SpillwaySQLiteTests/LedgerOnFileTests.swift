#if SQLiteSupport
import CostLedger
import SpillwayCore
import SpillwaySQLite
import SpillwayTesting
import Testing

/// A ledger and its file together.
@Suite(.timeLimit(.minutes(2))) struct LedgerOnFileTests {
    let time = ManualTime(zero)
    static let limits = [
        SpendLimit(each: .tenant, hard: .nano(1_000_000), per: .month),
        SpendLimit(each: .key, hard: .nano(1_000), per: .rolling(.seconds(60), steps: 6)),
    ]

    func opened(_ store: SQLiteLedgerStore, failsOpen: Bool = false) async throws -> Ledger {
        var configuration = Ledger.Configuration(limits: Self.limits)
        configuration.failsOpen = failsOpen
        return try await Ledger.open("ledger", configuration, store: store, time: time, epoch: noon)
    }

    @Test func `a ledger goes on where the last one stopped`() async throws {
        let folder = try Folder()
        let last: UInt64
        do {
            let store = try await SQLiteLedgerStore(folder.ledger)
            let ledger = try await opened(store)
            let account = try ledger.account(.tenant("a"), .key("k"), .model("m"), at: time.now)
            for cost in [100, 150, 200] as [Int64] {
                try account.hold(.nano(150), at: time.now).settle(.nano(cost), at: time.now)
                time.advance(by: .seconds(10))
            }
            let hold = try account.hold(.nano(120), at: time.now)
            last = hold.number
            try await ledger.stored()
            // As if the process died: what comes later is not stored.
            try await store.close()
            hold.void(at: time.now)
        }
        let ledger = try await opened(try await SQLiteLedgerStore(folder.ledger))
        #expect(ledger.audit() == [])
        #expect(ledger.suspended().map(\.number) == [last])
        let tenant = try #require(ledger.standings(of: .tenant("a"), at: time.now).first)
        #expect(tenant.balance.spent == .nano(400))
        #expect(tenant.balance.overage == .nano(50))
        #expect(tenant.balance.suspense == .nano(120))
        #expect(ledger.standings(of: .key("k"), at: time.now).map(\.taken) == [.nano(570)])
        let account = try ledger.account(.tenant("a"), .key("k"), .model("m"), at: time.now)
        #expect(throws: Rejection.self) { _ = try account.hold(.nano(431), at: time.now) }
        let hold = try account.hold(.nano(430), at: time.now)
        let number = hold.number
        #expect(number > last)
        hold.void(at: time.now)
        ledger.resolve(last, cost: .nano(20), at: time.now)
        try await ledger.stored()
        #expect(ledger.standings(of: .model("m"), at: time.now).map(\.taken) == [.nano(470)])
        #expect(try await SQLiteLedgerReader(folder.ledger).image(at: noon).open == [])
    }

    @Test(arguments: [false, true])
    func `a full disk: no call begins, or all go on, and nothing is lost`(failsOpen: Bool) async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        let ledger = try await opened(store, failsOpen: failsOpen)
        let account = try ledger.account(.tenant("a"), at: time.now)
        try await ledger.stored()
        try await store.leaveRoom(pages: 4)
        var settled = 0, failed: StoreError?
        while failed == nil {
            for _ in 0..<100 {
                try account.hold(.nano(2), at: time.now).settle(.nano(1), at: time.now)
                settled += 1
            }
            failed = try await failure { try await ledger.stored() }
        }
        #expect(failed?.kind == .full)
        #expect(failed?.description.contains(folder.ledger) == true)
        if failsOpen {
            for _ in 0..<100 {
                try account.hold(.nano(2), at: time.now).settle(.nano(1), at: time.now)
                try await ledger.storedBeforeAnswer()
            }
            settled += 100
        } else {
            let rejection = #expect(throws: Rejection.self) { _ = try account.hold(.nano(1), at: time.now) }
            #expect(rejection?.reason == .ledgerUnavailable)
        }
        // It fails again while there is no room.
        await time.waitForSleepers()
        time.advance(by: .seconds(1))
        await time.waitForSleepers()
        #expect(ledger.storeFailure?.kind == .full)
        try await store.leaveRoom(pages: nil)
        time.advance(by: .seconds(5))
        try await ledger.stored()
        #expect(ledger.storeFailure == nil)
        try account.hold(.nano(1), at: time.now).void(at: time.now)
        try await ledger.stored()
        let ends = try await postings(folder.ledger).filter { $0.kind == .settled }
        #expect(ends.count == settled)
        #expect(Set(ends.map(\.number)).count == settled)
        let balances = try await SQLiteLedgerReader(folder.ledger).balances()
        #expect(balances.map(\.spent) == [.nano(Int64(settled))])
    }
}
#endif
