import SpillwayCore
import SpillwayTesting
import Testing

@testable import CostLedger

@Suite struct PriceTests {
    private let price = Price(
        input: .dollars(3), output: .dollars(15), cacheRead: .cents(30), cacheWrite: .cents(375),
        cacheWriteHour: .dollars(6))

    private func usage(_ counts: [Usage.Meter: Int]) -> Usage {
        var usage = Usage()
        for (meter, count) in counts { usage[meter] = count }
        return usage
    }

    @Test func `every kind of token has its own rate`() throws {
        let used = usage([
            .input: 1_000_000, .cacheRead: 1_000_000, .cacheWrite: 1_000_000, .cacheWriteHour: 1_000_000,
            .output: 1_000_000,
        ])
        #expect(try price.cost(of: used) == .cents(300 + 30 + 375 + 600 + 1_500))
        #expect(try price.cost(of: Usage()) == .zero)
    }

    @Test func `a cached token is charged once`() throws {
        let reading = try #require(
            try UsageReading(
                Array(#"{"prompt_tokens": 1000000, "prompt_tokens_details": {"cached_tokens": 900000}}"#.utf8),
                format: .openAI))
        #expect(try price.cost(of: reading.usage) == .cents(30 + 27))
    }

    @Test func `what has no rate of its own takes a stated one`() throws {
        let plain = Price(input: .dollars(2), output: .dollars(10))
        let fallbacks: [(Usage.Meter, Int)] = [
            (.cacheRead, 2), (.cacheWrite, 2), (.cacheWriteHour, 2), (.cacheWriteHalfDay, 2), (.audioInput, 2),
            (.audioCacheRead, 2), (.imageInput, 2), (.reasoning, 10), (.audioOutput, 10), (.imageOutput, 10),
        ]
        for (meter, dollars) in fallbacks {
            #expect(try plain.cost(of: usage([meter: 1_000_000])) == .dollars(dollars), "\(meter)")
        }
        let cached = Price(.init(input: .dollars(2), cacheRead: .dollars(1), cacheWrite: .dollars(3)))
        #expect(try cached.cost(of: usage([.audioCacheRead: 1_000_000])) == .dollars(1))
        #expect(try cached.cost(of: usage([.cacheWriteHalfDay: 1_000_000])) == .dollars(3))
        let sound = Price(.init(input: .dollars(2), cacheRead: .dollars(1), audioInput: .dollars(7)))
        #expect(try sound.cost(of: usage([.audioCacheRead: 1_000_000])) == .dollars(7))
    }

    @Test func `an unknown price is never free`() throws {
        for meter in [Usage.Meter.images, .milliseconds, .toolCalls] {
            #expect(throws: Unpriced.meter(meter)) { try price.cost(of: usage([meter: 1])) }
        }
        let embedding = Price(input: .dollars(1))
        for meter in [Usage.Meter.output, .reasoning, .audioOutput, .imageOutput] {
            #expect(throws: Unpriced.meter(meter)) { try embedding.cost(of: usage([meter: 1])) }
        }
        for service in [Price.Service.batch, .flex, .priority] {
            #expect(throws: Unpriced.service(service)) { try price.cost(of: Usage(input: 1), service: service) }
        }
        #expect(throws: Unpriced.meter(.input)) { try Price(Price.Rates()).cost(of: Usage(input: 1)) }
        #expect(throws: Unpriced.meter(.input)) { try Price(input: .cents(-1)).cost(of: Usage(input: 1)) }
        #expect(PriceBook().price(of: "gpt", at: 0) == nil)
    }

    @Test func `pieces are priced by the piece`() throws {
        let rates = Price.Rates(image: .cents(4), request: .cents(1), second: .cents(10), toolCall: .cents(2))
        let used = usage([.images: 2, .milliseconds: 1_500, .toolCalls: 3])
        #expect(try Price(rates).cost(of: used) == .cents(8 + 1 + 15 + 6))
    }

    @Test func `a long prompt changes the price of the whole call, its answer included`() throws {
        let tiered = price.adding(
            .init(input: .dollars(6), output: .cents(2_250), cacheRead: .cents(60)), above: 200_000)
        let rates = try [199_999, 200_000, 200_001].map { size in
            try tiered.cost(of: Usage(input: size - 150_000, cacheRead: 150_000, output: 1_000))
        }
        #expect(rates[0] == Money(nanodollars: 49_999 * 3_000 + 150_000 * 300 + 1_000 * 15_000))
        #expect(rates[1] == Money(nanodollars: 50_000 * 3_000 + 150_000 * 300 + 1_000 * 15_000))
        #expect(rates[2] == Money(nanodollars: 50_001 * 6_000 + 150_000 * 600 + 1_000 * 22_500))
    }

    @Test func `sizes take over what they do not name from the size below`() throws {
        let tiered = price.adding(.init(input: .dollars(6), cacheWrite: .cents(750)), above: 100_000)
            .adding(.init(output: .dollars(40)), above: 50_000)
            .adding(.init(input: .dollars(9)), above: 200_000)
        let rates = try #require(tiered.rates(promptTokens: 200_001))
        #expect(rates[.input] == .dollars(9))
        #expect(rates[.output] == .dollars(40))
        #expect(rates[.cacheWrite] == .cents(750))
        #expect(rates[.cacheRead] == .cents(30))
        // The hour of the smaller size would cost less than minutes at this one.
        #expect(tiered.rates(promptTokens: 100_001)?[.cacheWriteHour] == .cents(750))
        #expect(tiered.rates(promptTokens: 100_000)?[.cacheWriteHour] == .dollars(6))
    }

    @Test func `a service takes over what it does not name, and never undercuts a size it does not know`() throws {
        let served = price.adding(.init(input: .dollars(6), output: .dollars(20)), above: 200_000)
            .adding(.init(input: .cents(150), output: .cents(750)), for: .batch)
            .adding(.init(input: .dollars(30), output: .dollars(150)), for: .priority)
        #expect(served.rates(for: .batch)?[.input] == .cents(150))
        #expect(served.rates(for: .batch)?[.cacheRead] == .cents(30))
        #expect(served.rates(for: .batch, promptTokens: 200_001)?[.input] == .dollars(6))
        #expect(served.rates(for: .priority, promptTokens: 200_001)?[.input] == .dollars(30))
        #expect(served.rates(for: .flex) == nil)
        let sized = served.adding(.init(input: .dollars(3), output: .dollars(10)), for: .batch, above: 200_000)
        #expect(sized.rates(for: .batch, promptTokens: 200_001)?[.output] == .dollars(10))
        // Only above a size is no price for the service.
        #expect(price.adding(.init(input: .dollars(1)), for: .flex, above: 5).rates(for: .flex, promptTokens: 9) == nil)
    }

    @Test func `a rate that says nothing of its own follows its service`() {
        let base = Price(
            .init(input: .dollars(1), output: .dollars(2), reasoning: .dollars(2), audioInput: .dollars(3)))
        let served = base.adding(.init(input: .dollars(4), output: .dollars(8)), for: .priority)
        #expect(served.rates(for: .priority)?[.reasoning] == .dollars(8))
        #expect(served.rates(for: .priority)?[.audioInput] == .dollars(3))
        #expect(base.adding(.init(output: .dollars(5)), above: 9).rates(promptTokens: 10)?[.reasoning] == .dollars(5))
    }

    @Test func `the same service and size given again replaces the first`() {
        #expect(price.adding(.init(input: .dollars(1))) == Price(input: .dollars(1)))
    }

    @Test func `a sum is rounded once, to the nearest, ties to even`() throws {
        // Half a nano-dollar a token.
        let tiny = Price(.init(input: Money(nanodollars: 500_000), output: Money(nanodollars: 250_000)))
        for (tokens, cost) in [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4)] {
            #expect(try tiny.cost(of: Usage(input: tokens)).nanodollars == Int64(cost), "\(tokens)")
        }
        #expect(try tiny.cost(of: Usage(input: 1, output: 1)).nanodollars == 1)
        #expect(try tiny.cost(of: Usage(input: 1, output: 2)).nanodollars == 1)
    }

    @Test func `products are taken at full width, and a cost out of range is refused`() throws {
        let dear = Price(input: .dollars(1_000), output: .dollars(1_000))
        #expect(try dear.cost(of: Usage(input: Usage.most, output: Usage.most)) == .dollars(2_000_000_000))
        let absurd = Price(input: .max)
        #expect(try absurd.cost(of: Usage(input: 1_000_000)) == .max)
        #expect(throws: Unpriced.tooLarge) { try absurd.cost(of: Usage(input: 1_000_001)) }
        #expect(throws: Unpriced.tooLarge) { try absurd.cost(of: Usage(input: Usage.most)) }
    }

    @Test func `costs are those of plain arithmetic`() throws {
        forEachSeed(500) { seed, random in
            var rates = Price.Rates(), used = Usage(), sum = Int128(0)
            for meter in Usage.Meter.allCases {
                let rate = Int64(random.next(through: 1 << random.next(through: 59)))
                rates[meter] = Money(nanodollars: rate)
                used[meter] =
                    random.next(through: 2) == 0 ? 0 : Int(random.next(through: 1 << random.next(through: 39)))
                sum += Int128(rate) * Int128(used[meter])
            }
            let (quotient, rest) = sum.quotientAndRemainder(dividingBy: 1_000_000)
            let expected = quotient + (rest > 500_000 || (rest == 500_000 && quotient % 2 == 1) ? 1 : 0)
            let cost = try? Price(rates).cost(of: used)
            #expect(cost.map { Int128($0.nanodollars) } == (expected > Int64.max ? nil : expected), "seed \(seed)")
        }
    }
}
