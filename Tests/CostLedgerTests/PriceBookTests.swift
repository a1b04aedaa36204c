import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct PriceBookTests {
    private func dollars(_ count: Int) -> Price { Price(input: .dollars(count)) }

    @Test func `the price that holds is the last one that began`() {
        var book = PriceBook()
        book.set(dollars(2), for: "m", from: 200)
        book.set(dollars(1), for: "m", from: 100)
        #expect(book.price(of: "m", at: 99) == nil)
        #expect(book.price(of: "m", at: 100) == dollars(1))
        #expect(book.price(of: "m", at: 199) == dollars(1))
        #expect(book.price(of: "m", at: .max) == dollars(2))
        #expect(book.price(of: "M", at: 100) == nil)
        book.set(dollars(3), for: "m", from: 200)
        #expect(book.prices(of: "m").map(\.price) == [dollars(1), dollars(3)])
        #expect(book.models == ["m"])
        #expect(book.count == 1)
    }

    @Test func `one's own prices lie over those that ship`() throws {
        let shipped = try PriceBook(dated: [
            "a": [(0, dollars(1)), (100, dollars(2)), (300, dollars(3))], "b": [(0, dollars(4))],
        ])
        let own = try PriceBook(dated: ["a": [(200, dollars(9))], "c": [(0, dollars(5))]])
        let merged = shipped.merging(own)
        #expect([0, 100, 200, 300].map { merged.price(of: "a", at: $0) } == [1, 2, 9, 9].map { dollars($0) })
        #expect(merged.price(of: "b", at: 0) == dollars(4))
        #expect(merged.price(of: "c", at: 0) == dollars(5))
        #expect(try shipped.merging(PriceBook(["a": dollars(7)])).prices(of: "a").map(\.price) == [dollars(7)])
    }

    @Test func `a bad price is refused with the field, the value and what is accepted`() {
        func message(_ make: () throws -> PriceBook) -> String {
            do {
                _ = try make()
                return "accepted"
            } catch { return "\(error)" }
        }
        #expect(
            message { try PriceBook(["m": Price(input: .cents(-1))]) }
                == "PriceBook: input in standard price of 'm' is -$0.01 per million, but must be from $0.00 to $1000000000.00"
        )
        #expect(
            message { try PriceBook(["m": dollars(1).adding(.init(output: .max), for: .batch)]) }
                == "PriceBook: output in batch price of 'm' is $9223372036.854775807 per million, but must be from $0.00 to "
                + "$1000000000.00")
        #expect(message { try PriceBook(["": dollars(1)]) } == "PriceBook: name is '', but must be 1 to 200 bytes long")
        #expect(
            message { try PriceBook(dated: ["m": [(5, dollars(1)), (5, dollars(2))]]) }
                == "PriceBook: from of 'm' is 5, but must be later than 5")
        #expect(
            message { try PriceBook(dated: ["m": []]) }
                == "PriceBook: prices of 'm' is empty, but must be at least one")
        #expect(
            message { try PriceBook(["m": dollars(1).adding(.init(), above: -1)]) }
                == "PriceBook: above in standard price of 'm' is -1, but must be 0 or more tokens")
        var book = PriceBook()
        book.set(Price(input: .cents(-1)), for: "m")
        #expect(throws: ConfigurationError.self) { try book.validate() }
    }

    @Test func `common models have prices`() throws {
        try PriceBook.common.validate()
        #expect((20...50).contains(PriceBook.common.count))
        for model in PriceBook.common.models {
            let price = try #require(PriceBook.common.price(of: model, at: 0))
            #expect(try price.cost(of: Usage(input: 1_000_000)) > .zero, "\(model)")
        }
        let price = try #require(PriceBook.common.price(of: "claude-haiku-5-5", at: 0))
        #expect(price.rates(for: .batch, promptTokens: 100_001)?[.output] == .cents(125))
        #expect(price.rates()?[.toolCalls] == .dollars(10_000))
    }
}
