#if SQLiteSupport
import CostLedger
import SpillwayCore
import SpillwaySQLite
import Testing

@Suite(.timeLimit(.minutes(2))) struct RoundTripTests {
    /// Every kind, source and cause, usage with every meter and with none, numbers at their ends.
    static let all: [Posting] = {
        var usage = Usage(requests: 0, source: .metered)
        for meter in Usage.Meter.allCases { usage[meter] = 1_000_000 + meter.rawValue }
        var list: [Posting] = []
        let causes: [Outcome.Cause] =
            [
                .unknown, .connect, .transport, .timeout, .serverError, .overloaded, .rateLimited, .quotaExhausted,
                .authentication, .invalidRequest, .contextTooLong, .contentFiltered, .malformed, .truncated, .cancelled,
                .rejected, .unacceptable,
            ] + (0..<16).map { .custom($0) }
        let outcomes: [Outcome] =
            [.success, .slow, .neutral(.none), .failure(.none)]
            + causes.flatMap { [.failure($0), .neutral($0, retryAfter: .milliseconds(1_500))] }
        for (index, outcome) in outcomes.enumerated() {
            let kind = Posting.Kind.allCases[index % 5], source = Usage.Source.allCases[index % 3]
            var one = posting(
                UInt64(index + 1), kind, time: noon + Int64(index), usage: index % 2 == 0 ? usage : nil, source: source,
                outcome: outcome)
            if kind == .saved { (one.held, one.cost, one.saved) = (.zero, .zero, .nano(Int64(index) - 3)) }
            one.operation = UInt64(index / 2 + 1)
            one.attempt = UInt32(index % 2 + 1)
            list.append(one)
        }
        var extreme = posting(
            UInt64(Int64.max >> 2), .settled, scopes: Scope.Kind.allCases.map { Scope($0, "a 'quoted' näme: 🪙") },
            began: .min, time: .max - 1, held: .max, cost: .min, usage: Usage(requests: 0))
        extreme.attempt = .max
        return list + [extreme]
    }()

    @Test func `every field of a posting comes back`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        try await store.append(LedgerBatch(postings: Self.all, balances: []))
        #expect(try await postings(folder.ledger) == Self.all)
        #expect(try await store.load(at: noon).lastNumber == UInt64(Int64.max >> 2))
    }

    @Test func `a batch that is given twice counts once`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        let batch = LedgerBatch(
            postings: Self.all + [posting(900, .held), posting(901, .held)],
            balances: [balance(.tenant("acme"), .total, start: .min, end: .max, held: 200, spent: 7)])
        try await store.append(batch)
        let once = try await postings(folder.ledger)
        let image = try await store.load(at: noon)
        try await store.append(batch)
        #expect(try await postings(folder.ledger) == once)
        #expect(try await store.load(at: noon).open == image.open)
        #expect(try await store.load(at: noon).balances == batch.balances)

        // A settled hold does not open again when the posting that opened it comes once more.
        try await store.append(LedgerBatch(postings: [posting(900, .settled)], balances: []))
        try await store.append(batch)
        #expect(try await store.load(at: noon).open.map(\.number).contains(901))
        #expect(try await !store.load(at: noon).open.map(\.number).contains(900))
    }

    @Test func `a posting that is there already stays as it is`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        try await store.append(LedgerBatch(postings: [posting(1, cost: 60)], balances: []))
        try await store.append(LedgerBatch(postings: [posting(1, cost: 61)], balances: []))
        #expect(try await postings(folder.ledger) == [posting(1, cost: 60)])
    }

    @Test func `holds are open until they are settled or voided`() async throws {
        let folder = try Folder()
        var store = try await SQLiteLedgerStore(folder.ledger)
        try await store.append(LedgerBatch(postings: (1...5).map { posting($0, .held) }, balances: []))
        try await store.append(
            LedgerBatch(postings: [posting(1, .settled), posting(2, .voided), posting(3, .suspended)], balances: []))
        try await store.append(LedgerBatch(postings: [posting(4, .suspended), posting(4, .settled)], balances: []))
        let open = [posting(3, .suspended), posting(5, .held)]
        #expect(try await store.load(at: noon).open == open)
        try await store.close()
        store = try await SQLiteLedgerStore(folder.ledger)
        #expect(try await store.load(at: noon).open == open)
        // A store that was opened again also knows which are open when they end.
        try await store.append(LedgerBatch(postings: [posting(3, .voided), posting(5, .settled)], balances: []))
        #expect(try await store.load(at: noon).open == [])
    }

    @Test func `balances come back while they count`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger, synchronous: .normal)
        let scope = Scope.session("s")
        let rolling = Window.rolling(.seconds(600), steps: 10)
        let kept = [
            balance(scope, .total, start: .min, end: .max, spent: 1),
            balance(scope, .month, start: noon - minute, end: noon + minute, spent: 2),
            balance(scope, rolling, start: noon - 10 * minute, end: noon - 9 * minute, spent: 3),
            balance(scope, .day, start: noon - 3 * minute, end: noon - 2 * minute, held: 4),
            balance(scope, .hour, start: noon - 3 * minute, end: noon - 2 * minute, suspense: 5),
        ]
        let over = [
            balance(scope, .day, start: noon - 9 * minute, end: noon - 8 * minute, spent: 6, overage: 7),
            balance(scope, rolling, start: noon - 11 * minute, end: noon - 10 * minute, spent: 8),
        ]
        try await store.append(LedgerBatch(postings: [], balances: kept + over))
        #expect(Set(try await store.load(at: noon).balances) == Set(kept))
        #expect(Set(try await SQLiteLedgerReader(folder.ledger).balances()) == Set(kept + over))
        // The last that was said of a window counts.
        var changed = kept[0]
        changed.spent = .nano(9)
        try await store.append(LedgerBatch(postings: [], balances: [changed]))
        #expect(try await store.load(at: noon).balances.contains(changed))
    }

    @Test(arguments: [
        Window.minute, .hour, .day, .week, .month, .year, .total, .rolling(.milliseconds(1), steps: 1_000),
    ])
    func `every window comes back`(window: Window) async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        let one = balance(.tag("t"), window, start: noon, end: noon + 1, held: 1, spent: 2, overage: 3, suspense: 4)
        try await store.append(LedgerBatch(postings: [], balances: [one]))
        #expect(try await store.load(at: noon).balances == [one])
    }

    @Test func `a reader finds what belongs to a time and a scope, page by page`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        // Many with the same time, so that pages end between them.
        let list = (1...9_000).map { number in
            posting(
                UInt64(number), scopes: [.tenant("t\(number % 3)"), .model("m")], time: noon + Int64(number / 4_500))
        }
        try await store.append(LedgerBatch(postings: list, balances: []))
        #expect(try await postings(folder.ledger) == list)
        #expect(try await postings(folder.ledger, from: noon + 1, to: noon + 2).count == 4_500)
        #expect(try await postings(folder.ledger, of: .tenant("t1")).count == 3_000)
        #expect(try await postings(folder.ledger, of: .model("m")).count == 9_000)
        #expect(try await postings(folder.ledger, of: .key("t1")).isEmpty)
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            try await SQLiteLedgerReader(folder.ledger).postings { _ in throw Enough() }
        }
    }
}
#endif
