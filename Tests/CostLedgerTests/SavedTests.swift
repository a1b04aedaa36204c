import SpillwayCore
import SpillwayTesting
import Testing

@testable import CostLedger

@Suite(.timeLimit(.minutes(2))) struct SavedTests {
    private static let prices: PriceBook = {
        var book = PriceBook()
        book.set(Price(input: .dollars(3), output: .dollars(15)), for: "large")
        return book
    }()
    private let usage = Usage(input: 1_000, output: 100)
    /// What 1,000 tokens of prompt and 100 of answer cost.
    private let worth = Money(nanodollars: 4_500_000)
    private let store = MemoryStore()
    private let now = storedAt(0)

    private func opened(_ limits: [SpendLimit] = []) async throws -> Ledger {
        try await Ledger.open(
            "ledger", prices: Self.prices, .init(limits: limits), store: store, time: ManualTime(now), epoch: storeNoon)
    }

    @Test func `a hit is worth what the call would have cost, and changes no balance`() async throws {
        let ledger = try await opened([SpendLimit(.tenant("acme"), hard: nano(1))])
        let model = try ledger.account(.tenant("acme"), .model("large"), model: "large", at: now)
        let before = ledger.standings(at: now).map(\.balance.taken)
        // Also where nothing is left to spend.
        for _ in 0..<3 { #expect(try model.save(usage, at: now) == worth) }
        #expect(ledger.standings(at: now).map(\.balance.taken) == before)
        #expect(ledger.audit(limitsHeld: true).isEmpty && ledger.open.holds == 0)
        try await ledger.stored()
        #expect(store.postings.count == 3 && Set(store.postings.map(\.number)).count == 3)
        #expect(store.balances.allSatisfy { $0.taken == .zero })
        let posting = try #require(store.postings.first)
        #expect(posting.kind == .saved && posting.saved == worth && posting.cost == .zero && posting.held == .zero)
        #expect(posting.scopes == [.tenant("acme"), .model("large")] && posting.usage == usage)
        #expect(posting.attempt == 0 && posting.operation == posting.number && posting.outcome == .success)
        #expect(posting.began == storeNoon && posting.time == storeNoon)
    }

    @Test func `it belongs to the operation of its bill, and to all who would have paid`() async throws {
        let ledger = try await opened()
        let model = try ledger.account(.provider("p"), .model("large"), model: "large", at: now)
        let asker = try ledger.account(.tenant("acme"), .key("k"), at: now), bill = asker.bill()
        #expect(try model.save(usage, for: bill, at: now) == worth)
        // The price of the model counts whichever of them is asked.
        #expect(try asker.save(usage, for: model, at: now) == worth)
        #expect(try model.save(usage, for: model, at: now) == worth)
        #expect(bill.spent == .zero && bill.attempts == 0 && !bill.hasBegun)
        try await ledger.stored()
        let postings = store.postings
        #expect(
            postings.map { Set($0.scopes) } == [
                [.provider("p"), .model("large"), .tenant("acme"), .key("k")],
                [.provider("p"), .model("large"), .tenant("acme"), .key("k")], [.provider("p"), .model("large")],
            ])
        #expect(postings[0].operation == bill.number && postings[0].number != bill.number)
    }

    @Test func `what has no price is not guessed`() async throws {
        let ledger = try await opened(), other = try await opened()
        let asker = try ledger.account(.tenant("acme"), at: now)
        let model = try ledger.account(.model("large"), model: "large", at: now)
        let unknown = try ledger.account(.model("new"), model: "new", at: now)
        let stranger = try other.account(.tenant("acme"), at: now)
        #expect(throws: Unpriced.model) { try asker.save(usage, at: now) }
        #expect(throws: Unpriced.model) { try unknown.save(usage, at: now) }
        #expect(throws: Unpriced.model) { try model.save(usage, for: stranger, at: now) }
        #expect(throws: Unpriced.meter(.images)) {
            var images = usage
            images[.images] = 5
            _ = try model.save(images, at: now)
        }
        try await ledger.stored()
        #expect(store.postings.isEmpty)
    }

    @Test func `numbers go on after a restart, and nothing is found open`() async throws {
        do {
            let ledger = try await opened()
            try ledger.account(.model("large"), model: "large", at: now).save(usage, at: now)
            try await ledger.stored()
        }
        let ledger = try await opened()
        #expect(ledger.suspended().isEmpty)
        try ledger.account(.model("large"), model: "large", at: now).save(usage, at: now)
        try await ledger.stored()
        #expect(store.postings.map(\.number) == [1, 2])
    }

    @Test func `a ledger in memory says what was saved, and remembers nothing`() throws {
        let ledger = try Ledger("ledger", prices: Self.prices, epoch: 0)
        let model = try ledger.account(.model("large"), model: "large", at: now)
        #expect(try model.save(usage, at: now) == worth)
        #expect(ledger.audit(limitsHeld: true).isEmpty)
    }

    // MARK: - Reports

    @Test func `reports show it as saved, and nowhere else`() {
        let postings: [Posting] = [
            .made(1, cost: 70, usage: usage), .made(2, .saved, attempt: 0, held: 0, saved: 50, usage: usage),
            .made(3, .saved, attempt: 0, of: [.tenant("globex"), .model("m")], held: 0, saved: 8),
        ]
        var statement = Statement(by: .tenant), burn = BurnDown(over: .min ..< .max, at: reportDay + 100 * second)
        statement.add(contentsOf: postings)
        burn.add(contentsOf: postings)
        let total = statement.total
        #expect(total.cost.nanodollars == 70 && total.saved.nanodollars == 58 && total.savedAnswers == 2)
        #expect(total.attempts == 1 && total.operations == 1 && total.tokens == 1_100)
        #expect([total.held, total.suspended, total.voided, total.overage].allSatisfy { $0 == .zero })
        #expect(statement.rows.map(\.spend.saved.nanodollars) == [50, 8])
        #expect(burn.taken.nanodollars == 70)
        let table = statement.table
        #expect(Set(table.rows.map(\.count)) == [table.header.count])
        #expect(table.header.contains("saved") && table.header.contains("saved_answers"))
        var repricing = Repricing(under: reportBook)
        repricing.add(contentsOf: postings)
        #expect(repricing.total.attempts + repricing.total.unpriced + repricing.total.withoutUsage == 1)
    }

    @Test func `an answer from a cache is an answer, at no cost`() {
        var answers = AnswerCosts(within: .seconds(8))
        answers.add(contentsOf: [
            .made(1, cost: 60), .made(2, .saved, attempt: 0, took: 0, held: 0, saved: 60),
            // The model failed, and then an answer that was too old was given.
            .made(3, operation: 9, cost: 30, .failure(.timeout)),
            .made(4, .saved, operation: 9, attempt: 0, began: 1, took: 0, held: 0, saved: 60),
        ])
        let total = answers.total
        #expect([total.answers, total.inTime, total.failed, total.open] == [3, 3, 0, 0])
        #expect(total.cost.nanodollars == 90 && total.wasted.nanodollars == 30 && total.perAnswer?.nanodollars == 30)
    }
}
