#if SQLiteSupport
import CostLedger
import ModelRouting
import SpillwayCore
import SpillwaySQLite
import Testing

/// The examples of the module's page, word for word.
@Suite(.timeLimit(.minutes(2))) struct ExampleTests {
    func openLedger(_ path: String) async throws -> Ledger {
        let store = try await SQLiteLedgerStore(path)
        let limits = [SpendLimit(each: .tenant, hard: .dollars(100), per: .month)]
        let ledger = try await Ledger.open("ledger", .init(limits: limits), store: store)
        for hold in ledger.suspended() { print("nobody knows what hold \(hold.number) cost: \(hold.held) at most") }
        return ledger
    }

    func spent(by tenant: String, from: Int64, to: Int64, _ path: String) async throws -> Money {
        let reader = try await SQLiteLedgerReader(path)
        var sum = Money.zero
        try await reader.postings(from: from, to: to, of: .tenant(tenant)) { posting in
            if posting.kind == .settled { sum += posting.cost }
        }
        return sum
    }

    func openJobs(_ path: String) async throws -> JobQueue {
        let store = try await SQLiteJobStore(path)
        return try JobQueue("chat", .init(lease: .seconds(60), expires: .seconds(86_400), attempts: 5), store: store)
    }

    @Test func `a job outlives its queue`() async throws {
        let folder = try Folder(), job = try await openJobs(folder.jobs).submit([1, 2, 3], tenant: "acme")
        let jobs = try await openJobs(folder.jobs)
        #expect(try await jobs.job(job.id, tenant: "acme") == job)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await jobs.work { $0.payload.reversed() } }
            var last: Job?
            for try await job in jobs.changes(of: job.id) { last = job }
            #expect(last?.state == .done([3, 2, 1]))
            group.cancelAll()
        }
    }

    @Test func `what was settled is in the report`() async throws {
        let folder = try Folder()
        let ledger = try await openLedger(folder.ledger)
        let now = SystemTime().now
        let account = try ledger.account(.tenant("acme"), .key("k"))
        for cost in 1...3 { try account.hold(.cents(5), at: now).settle(.cents(cost), at: now) }
        try await ledger.stored()
        #expect(try await spent(by: "acme", from: 0, to: .max, folder.ledger) == .cents(6))
        #expect(try await spent(by: "other", from: 0, to: .max, folder.ledger) == .zero)
    }

    @Test func `by hand it reads well`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        let used = Usage(input: 1_200, output: 300)
        let outcome = Outcome.failure(.timeout)
        try await store.append(
            LedgerBatch(
                postings: [posting(7, time: noon + 1_500_000_000, cost: 2_500_000, usage: used, outcome: outcome)],
                balances: [balance(.tenant("acme"), .month, start: noon, end: noon + 1, spent: 2_500_000)]))
        let row = try Damage.row(
            """
            SELECT number || ' ' || kind || ' ' || scopes || ' ' || time || ' ' || cost_dollars || ' ' || source || ' '
            || verdict || ' ' || cause || ' ' || input || ' ' || output FROM readable_postings
            """, folder.ledger)
        #expect(row == "7 settled tenant:acme key:k1 2026-03-01 12:00:01.500 0.0025 provider failure timeout 1200 300")
        let account = try Damage.row(
            "SELECT scope || ' ' || window || ' ' || start || ' ' || spent_dollars FROM readable_balances",
            folder.ledger)
        #expect(account == "tenant:acme month 2026-03-01 12:00:00.000 0.0025")
    }
}
#endif
