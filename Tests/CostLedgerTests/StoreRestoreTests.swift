import SpillwayCore
import SpillwayTesting
import Testing

@testable import CostLedger

@Suite(.timeLimit(.minutes(2))) struct StoreRestoreTests {
    let store = MemoryStore()
    let time = ManualTime(storedAt(0))

    /// A ledger that goes on with what the store has, as after a crash of the one before.
    func reopened(
        _ limits: [SpendLimit] = [SpendLimit(.tenant("a"), hard: nano(1_000), per: .day)]
    ) async throws -> Ledger {
        var configuration = Ledger.Configuration(limits: limits)
        configuration.holdLifetime = .seconds(60)
        return try await Ledger.open("ledger", configuration, store: store, time: time, epoch: storeNoon)
    }

    @Test func `what a hold has grown by is in suspense after a crash, and can be resolved`() async throws {
        do {
            let ledger = try await reopened()
            let hold = try ledger.account(.tenant("a"), at: time.now).hold(nano(100), at: time.now)
            try await ledger.stored()
            let isHeld = hold.extend(to: nano(250), at: time.now)
            #expect(isHeld)
            try await ledger.stored()
            // The process dies here: nothing of what follows counts.
            store.fail(StoreError(.closed, "died"))
            hold.void(at: time.now)
        }
        store.fail(nil)
        let ledger = try await reopened()
        #expect(ledger.suspended().map(\.held) == [nano(250)])
        #expect(ledger.standings(of: .tenant("a"), at: time.now).map(\.taken) == [nano(250)])
        #expect(ledger.audit() == [])
        #expect(ledger.resolve(ledger.suspended()[0].number, cost: nil, at: time.now))
        #expect(ledger.standings(of: .tenant("a"), at: time.now).map(\.taken) == [.zero])
        try await ledger.stored()
        #expect(store.balances.allSatisfy { $0.taken == .zero })
    }

    @Test func `a hold that is voided just after it came into suspense is not found open later`() async throws {
        let ledger = try await reopened()
        let account = try ledger.account(.tenant("a"), at: time.now)
        let hold = try account.hold(nano(100), at: time.now)
        try await ledger.stored()
        // No task runs between: both are in one batch.
        ledger.state.withBooks { books in
            books.expire(at: storeNoon + 61_000_000_000)
            books.post(.voided, 0, at: storeNoon)
            books.settle(0, cost: 0)
        }
        try await ledger.stored()
        #expect(try await store.load(at: storeNoon).open == [])
        #expect(store.balances.allSatisfy { $0.taken == .zero })
        hold.void(at: time.now)
    }

    @Test func `limits change while postings wait for the store`() async throws {
        let ledger = try await reopened([
            SpendLimit(.tenant("a"), hard: nano(1_000), per: .day),
            SpendLimit(.tenant("a"), hard: nano(2_000), per: .month),
        ])
        let account = try ledger.account(.tenant("a"), at: time.now)
        store.fail(StoreError(.full, "full"))
        let first = try account.hold(nano(100), at: time.now)
        await time.waitForSleepers()
        first.settle(nano(90), at: time.now)
        try ledger.update(limits: [SpendLimit(.tenant("a"), hard: nano(2_000), per: .month)], at: time.now)
        store.fail(nil)
        time.advance(by: .seconds(10))
        try await ledger.stored()
        #expect(Set(store.balances.map(\.window)) == [.day, .month])
        #expect(store.balances.allSatisfy { $0.spent == nano(90) && $0.held == .zero })
        #expect(ledger.audit() == [])
    }

    @Test func `what a limit held that is no more does not come back with it`() async throws {
        let daily = [SpendLimit(.tenant("a"), hard: nano(1_000), per: .day)]
        do {
            let ledger = try await reopened(daily)
            let hold = try ledger.account(.tenant("a"), at: time.now).hold(nano(100), at: time.now)
            try await ledger.stored()
            store.fail(StoreError(.closed, "died"))
            hold.void(at: time.now)
        }
        store.fail(nil)
        // Resolved under other limits.
        let other = try await reopened([SpendLimit(.tenant("a"), hard: nano(1_000), per: .month)])
        for posting in other.suspended() { other.resolve(posting.number, cost: nil, at: time.now) }
        try await other.stored()
        let ledger = try await reopened(daily)
        #expect(ledger.standings(of: .tenant("a"), at: time.now).map(\.taken) == [.zero])
        #expect(ledger.audit() == [])
    }

    @Test func `a rolling window goes on, and holds of its steps come into suspense`() async throws {
        let limits = [SpendLimit(.tenant("a"), hard: nano(1_000), per: .rolling(.seconds(60), steps: 6))]
        do {
            let ledger = try await reopened(limits)
            let account = try ledger.account(.tenant("a"), at: time.now)
            for _ in 0..<4 {
                try account.hold(nano(100), at: time.now).settle(nano(50), at: time.now)
                time.advance(by: .seconds(10))
            }
            let hold = try account.hold(nano(300), at: time.now)
            time.advance(by: .seconds(15))
            try await ledger.stored()
            store.fail(StoreError(.closed, "died"))
            hold.void(at: time.now)
        }
        store.fail(nil)
        let ledger = try await reopened(limits)
        #expect(ledger.audit() == [])
        let standing = try #require(ledger.standings(of: .tenant("a"), at: time.now).first)
        #expect(standing.taken == nano(500))
        let account = try ledger.account(.tenant("a"), at: time.now)
        #expect(throws: Rejection.self) { _ = try account.hold(nano(501), at: time.now) }
        // A minute later the steps are over; what is in suspense counts in its step until that is.
        time.advance(by: .seconds(120))
        #expect(ledger.standings(of: .tenant("a"), at: time.now).map(\.taken) == [.zero])
        #expect(ledger.audit() == [])
        for posting in ledger.suspended() { ledger.resolve(posting.number, cost: nano(10), at: time.now) }
        try await ledger.stored()
        #expect(try await store.load(at: storeNoon).open == [])
        #expect(store.balances.allSatisfy { $0.held == .zero && $0.suspense == .zero })
    }

    @Test func `the number of a hold of which nothing is stored is not given again`() async throws {
        let first = try await reopened()
        let hold = try first.account(.tenant("a"), at: time.now).hold(nano(1), at: time.now)
        let number = hold.number
        // In one batch, so that there is nothing to tell but that it was.
        first.state.withBooks { books in
            books.post(.voided, 0, at: storeNoon)
            books.settle(0, cost: 0)
        }
        hold.void(at: time.now)
        try await first.stored()
        let second = try await reopened()
        let next = try second.account(.tenant("a"), at: time.now).hold(nano(1), at: time.now)
        let later = next.number
        #expect(later > number)
        next.void(at: time.now)
    }

    @Test func `numbers go on after those that were given`() async throws {
        let first = try await reopened()
        try first.account(.tenant("a"), at: time.now).hold(nano(1), at: time.now).settle(nano(1), at: time.now)
        try await first.stored()
        let second = try await reopened()
        let hold = try second.account(.tenant("a"), at: time.now).hold(nano(1), at: time.now)
        let number = hold.number
        #expect(number == store.postings[0].number + 1)
        hold.void(at: time.now)
    }
}
