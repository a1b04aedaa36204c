import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct RepriceTests {
    @Test func `under the same book nothing changes where the provider said what was used`() {
        forEachSeed(50) { seed, random in
            let postings = randomJournal(&random, operations: 60)
            var report = Repricing(under: reportBook)
            report.add(contentsOf: postings)
            #expect(report.total.difference == .zero, "seed \(seed)")
            #expect(report.total.unpriced == 0, "seed \(seed)")
            let rows = report.rows
            #expect(
                rows.reduce(.zero) { $0 + $1.booked + $1.withoutUsageCost } == postings.reduce(.zero) { $0 + $1.cost },
                "seed \(seed)")
        }
    }

    @Test func `prices hold from their date on, by the begin of the attempt`() {
        var book = PriceBook()
        book.set(Price(input: .dollars(1)), for: "m")
        book.set(Price(input: .dollars(2)), for: "m", from: reportDay / second + 100)
        var report = Repricing(under: book)
        let usage = Usage(input: 1_000_000)
        report.add(.made(1, began: 99, took: 50, cost: 1_000_000_000, usage: usage))
        report.add(.made(2, began: 100, cost: 1_000_000_000, usage: usage))
        #expect(report.rows.map(\.difference) == [.dollars(1)])
    }

    @Test func `what has no usage or no price is counted apart, and the largest difference comes first`() {
        var report = Repricing(under: reportBook)
        let usage = Usage(input: 1_000, output: 100)
        report.add(.made(1, of: [.model("small")], cost: 1, usage: usage))
        report.add(.made(2, of: [.model("large")], cost: 1, usage: usage))
        report.add(.made(3, of: [.model("large")], cost: 5))
        report.add(.made(4, of: [.model("other")], cost: 7, usage: usage))
        report.add(.made(5, of: [], cost: 11, usage: usage))
        var images = usage
        images[.images] = 1
        report.add(.made(6, of: [.model("small")], cost: 13, usage: images))
        report.add(.made(7, .voided))
        let rows = report.rows
        #expect(rows.map(\.model) == ["large", "small", nil, "other"])
        #expect(rows.map(\.attempts) == [1, 1, 0, 0])
        #expect(rows.map(\.withoutUsageCost.nanodollars) == [5, 0, 0, 0])
        #expect(rows.map(\.unpricedCost.nanodollars) == [0, 13, 11, 7])
        #expect(rows.map(\.reason) == [nil, .meter(.images), .model, .model])
        #expect(report.total.unpriced == 3)
        #expect(report.table.rows.last?.first == .text("total"))
    }

    @Test func `another service has other prices`() {
        var book = PriceBook()
        book.set(Price(input: .dollars(2)).adding(.init(input: .dollars(1)), for: .batch), for: "m")
        var report = Repricing(under: book, service: .batch)
        report.add(.made(1, cost: 2_000_000_000, usage: Usage(input: 1_000_000)))
        #expect(report.total.difference == Money(dollars: "-1"))
    }
}
