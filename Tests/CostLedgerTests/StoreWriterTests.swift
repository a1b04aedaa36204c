import CostLedger
import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(2))) struct StoreWriterTests {
    let store = MemoryStore()
    let time = ManualTime(storedAt(0))
    let full = StoreError(.full, "ledger.sqlite: no room")

    func opened(failsOpen: Bool = false) async throws -> Ledger {
        var configuration = Ledger.Configuration()
        configuration.failsOpen = failsOpen
        return try await Ledger.open("ledger", configuration, store: store, time: time, epoch: storeNoon)
    }

    @Test func `a store that fails closes the ledger until it is well again`() async throws {
        let ledger = try await opened()
        let account = try ledger.account(.tenant("a"), at: time.now)
        let hold = try account.hold(nano(5), at: time.now)
        store.fail(full)
        hold.settle(nano(5), at: time.now)
        await #expect(throws: full) { try await ledger.storedBeforeAnswer() }
        #expect(ledger.storeFailure == full)
        let rejection = #expect(throws: Rejection.self) { _ = try account.hold(nano(1), at: time.now) }
        #expect(rejection?.reason == .ledgerUnavailable)
        store.fail(nil)
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        try await ledger.storedBeforeAnswer()
        #expect(ledger.storeFailure == nil)
        try account.hold(nano(1), at: time.now).void(at: time.now)
        #expect(store.postings.filter { $0.kind == .settled }.map(\.cost) == [nano(5)])
    }

    @Test func `a ledger that fails open goes on, and stores later what it cost`() async throws {
        let ledger = try await opened(failsOpen: true)
        let account = try ledger.account(.tenant("a"), at: time.now)
        store.fail(full)
        for cost in 1...10 {
            try account.hold(nano(20), at: time.now).settle(nano(Int64(cost)), at: time.now)
            try await ledger.storedBeforeAnswer()
        }
        #expect(ledger.storeFailure == full)
        store.fail(nil)
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        try await ledger.stored()
        #expect(store.postings.filter { $0.kind == .settled }.map(\.cost) == (1...10).map { nano($0) })
        #expect(store.balances.map(\.spent) == [nano(55)])
    }

    @Test func `a batch whose end nobody knows is given again, and counts once`() async throws {
        let ledger = try await opened()
        let account = try ledger.account(.tenant("a"), at: time.now)
        store.fail(full, ambiguously: true)
        try account.hold(nano(5), at: time.now).settle(nano(3), at: time.now)
        await #expect(throws: full) { try await ledger.stored() }
        store.fail(nil)
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        try await ledger.stored()
        #expect(store.postings.filter { $0.kind == .settled }.map(\.cost) == [nano(3)])
        #expect(store.balances.map(\.taken) == [nano(3)])
    }

    @Test func `a store that was closed is not asked for ever`() async throws {
        let closed = StoreError(.closed, "closed")
        let ledger = try await opened()
        let account = try ledger.account(.tenant("a"), at: time.now)
        store.fail(closed)
        try account.hold(nano(5), at: time.now).settle(nano(3), at: time.now)
        for _ in 0..<3 { await #expect(throws: closed) { try await ledger.stored() } }
        #expect(time.sleepers == 0)
    }
}
