import GPUClient
import SpillwayCore
import Testing

@Suite("ReplicaOffer")
struct ReplicaOfferTests {
    private func offer(
        _ name: String = "gpu", dollars: Int64 = 3_600_000_000, tokensPerSecond: Int = 1_000,
        first: Duration = .milliseconds(200), each: Duration = .milliseconds(20), watts: Int = 0, grams: Int = 0
    ) throws -> ReplicaOffer {
        try ReplicaOffer(
            name, price: ReplicaPrice(nanoDollarsPerHour: dollars), tokensPerSecond: tokensPerSecond,
            timeToFirstToken: first, timePerToken: each, watts: watts, gramsPerKilowattHour: grams)
    }

    @Test("an answer costs what the replica costs while it is made")
    func cost() throws {
        // 3.60 dollars an hour are a million nano-dollars a second, which is 1,000 tokens.
        #expect(try offer().nanoDollars(tokens: 500) == 500_000)
        #expect(try offer().nanoDollars(tokens: 0) == 0)
        #expect(try offer().nanoDollars(tokens: -3) == 0)
        #expect(try offer().duration(tokens: 101) == .milliseconds(2_200))
        #expect(try offer().duration(tokens: 0) == .milliseconds(200))
        #expect(try offer().duration(tokens: .max) == .nanoseconds(Int64.max))
        // 700 W for half a second at 400 g/kWh.
        #expect(try offer(watts: 700, grams: 400).micrograms(tokens: 500) == 38_889)
        #expect(try offer(grams: 400).micrograms(tokens: 500) == 0)
    }

    @Test("money is rounded once, ties to even, and stops at the ends")
    func rounding() throws {
        let price: Int64 = 1_800
        // Half a nano-dollar for a token, then 1.5, 2.5, 3.5.
        let halves = try offer(dollars: price, tokensPerSecond: 1)
        #expect((1...4).map { halves.nanoDollars(tokens: 2 * $0 - 1) } == [0, 2, 2, 4])
        #expect(try offer(dollars: .max, tokensPerSecond: 1).nanoDollars(tokens: .max) == .max)
        #expect(
            try offer(tokensPerSecond: 1, watts: 1_000_000, grams: 10_000).micrograms(tokens: .max) == .max)
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let dollars = Int64.random(in: 0...10_000_000_000, using: &random)
            let speed = Int.random(in: 1...20_000, using: &random)
            let tokens = Int.random(in: 0...4_000, using: &random)
            let exact = Double(dollars) * Double(tokens) / 3_600 / Double(speed)
            let found = Double(try offer(dollars: dollars, tokensPerSecond: speed).nanoDollars(tokens: tokens))
            #expect(abs(found - exact) <= 0.5 + exact * 1e-12, "seed \(seed)")
        }
    }

    @Test("the cheapest in time comes first, those too slow are left out, carbon may turn the order")
    func ranking() throws {
        let small = try offer(
            "l4", dollars: 800_000_000, tokensPerSecond: 900, each: .milliseconds(45), watts: 90, grams: 600)
        let twins = try ["h200", "twin"].map { name in
            try offer(
                name, dollars: 4_000_000_000, tokensPerSecond: 4_000, each: .milliseconds(12), watts: 900, grams: 30)
        }
        let offers = [twins[0], small, twins[1]]
        func names(_ tokens: Int, _ limit: Duration, _ carbon: Int64 = 0) -> [String] {
            ReplicaOffer.ranked(offers, tokens: tokens, within: limit, nanoDollarsPerKilogram: carbon).map(\.name)
        }
        #expect(names(400, .seconds(60)) == ["l4", "h200", "twin"])
        #expect(names(400, .seconds(10)) == ["h200", "twin"])
        #expect(names(400, .seconds(1)) == [])
        // Ten dollars a kilogram are too dear for the small one's current.
        #expect(names(400, .seconds(60), 10_000_000_000) == ["h200", "twin", "l4"])
        #expect(names(400, .seconds(60), .min) == ["l4", "h200", "twin"])
        #expect(names(.max, .seconds(60)) == [])
        #expect(ReplicaOffer.ranked([], tokens: 1, within: .seconds(1)).isEmpty)
        #expect(names(400, .seconds(60), .max).count == 3)
    }

    @Test("what cannot be is refused by its name")
    func refusals() {
        #expect(refused { _ = try offer("") } == "name")
        for bad in [0, -1, 1_000_000_001] {
            #expect(refused { _ = try offer(tokensPerSecond: bad) } == "tokensPerSecond")
        }
        #expect(refused { _ = try offer(first: .seconds(-1)) } == "timeToFirstToken")
        #expect(refused { _ = try offer(each: .seconds(-1)) } == "timePerToken")
        for bad in [-1, 1_000_001] { #expect(refused { _ = try offer(watts: bad) } == "watts") }
        for bad in [-1, 10_001] { #expect(refused { _ = try offer(grams: bad) } == "gramsPerKilowattHour") }
    }
}
