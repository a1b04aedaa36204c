import SpillwayCore

@testable import CostLedger

/// 2026-11-21, in nanoseconds since 1970.
let reportDay: Int64 = 1_795_219_200_000_000_000
let second: Int64 = 1_000_000_000

extension Posting {
    /// A posting whose parts that do not matter have some value.
    static func made(
        _ number: UInt64, _ kind: Kind = .settled, operation: UInt64? = nil, attempt: UInt32 = 1,
        of scopes: [Scope] = [.tenant("acme"), .model("m")], began: Int64 = 0, took: Int64 = 1, held: Int64 = 100,
        cost: Int64 = 0, saved: Int64 = 0, usage: Usage? = nil, source: Usage.Source = .provider,
        _ outcome: Outcome = .success
    ) -> Posting {
        Posting(
            number: number, kind: kind, operation: operation ?? number, attempt: attempt, scopes: scopes,
            began: reportDay + began * second, time: reportDay + (began + took) * second,
            held: Money(nanodollars: held), cost: kind == .settled ? Money(nanodollars: cost) : .zero,
            saved: Money(nanodollars: saved), usage: usage,
            source: source, outcome: outcome)
    }
}

/// A book with two models, whose names are those of ``randomJournal(_:)``.
let reportBook: PriceBook = {
    var book = PriceBook()
    book.set(Price(input: .dollars(3), output: .dollars(15), cacheRead: .cents(30)), for: "large")
    book.set(Price(input: .cents(10), output: .cents(40)), for: "small")
    return book
}()

/// Operations with retries and hedges as a ledger would post them, from a seed.
func randomJournal(_ random: inout RandomSource, operations: Int) -> [Posting] {
    var postings: [(time: Int64, posting: Posting)] = [], number: UInt64 = 0
    for _ in 0..<operations {
        number += 1
        let operation = number
        var scopes: [Scope] = random.upTo(9) == 0 ? [] : [.tenant(["acme", "globex", "=evil()"][random.upTo(2)])]
        scopes += (0..<random.upTo(2)).map { .tag("t\($0)") }
        var began = Int64(random.upTo(40 * 86_400))
        for attempt in 0...random.upTo(2) {
            number += 1
            let model = random.upTo(1) == 0 ? "large" : "small"
            let usage = Usage(input: random.upTo(5_000), cacheRead: random.upTo(500), output: random.upTo(2_000))
            let price = reportBook.prices(of: model)[0].price
            let hasUsage = random.upTo(4) > 0
            let source: Usage.Source = hasUsage ? .provider : .estimated
            let cost = hasUsage ? try! price.cost(of: usage).nanodollars : Int64(random.upTo(5_000_000))
            let kinds: [Posting.Kind] = [
                [.settled], [.held, .settled], [.held, .suspended, .settled], [.held, .voided], [.voided], [.held],
                [.held, .suspended],
            ][random.upTo(9) < 7 ? random.upTo(1) : random.upTo(6)]
            let outcomes: [Outcome] = [.success, .slow, .failure(.timeout), .neutral(.cancelled)]
            var took: Int64 = 0
            for kind in kinds {
                // A hold that grew while the call ran is settled with more than it began with.
                let held = kind == .held ? 4_000_000 : Int64(4_000_000 + random.upTo(1) * 1_000_000)
                let posting = Posting.made(
                    number, kind, operation: operation, attempt: UInt32(attempt + 1), of: scopes + [.model(model)],
                    began: began, took: took, held: held, cost: cost, usage: hasUsage ? usage : nil, source: source,
                    kind == .settled ? outcomes[random.upTo(3)] : .neutral(.cancelled))
                postings.append((posting.time, posting))
                took += Int64(1 + random.upTo(20))
            }
            began += Int64(random.upTo(10))
        }
    }
    // A stable order: that in which they would have been stored.
    return postings.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        .map(\.element.posting)
}
