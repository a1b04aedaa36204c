import GPUClient
import SpillwayCore
import Testing

@Suite("Spares and their cost")
struct CostTests {
    private let dollar: Int64 = 1_000_000_000

    /// N = 20, a = 0.995, 2 dollars an hour; the spares were found in rational numbers.
    @Test("the cost of an extra nine")
    func extraNine() throws {
        let plan = try Redundancy(needed: 20, availability: 0.995)
        #expect(try plan.spares(for: 0.999) == 2)
        #expect(try plan.spares(for: 0.9999) == 3)
        let steps = try plan.nines(through: 8, price: ReplicaPrice(nanoDollarsPerHour: 2 * dollar))
        #expect(steps.map(\.nines) == Array(1...8))
        #expect(steps.map(\.spares) == [0, 1, 2, 3, 3, 4, 5, 5])
        #expect(steps.map(\.added) == [0, 1, 1, 1, 0, 1, 1, 0])
        #expect(steps[2].monthlyNanoDollars == 2_920 * dollar)
        #expect(steps[3].monthlyNanoDollars == 4_380 * dollar)
    }

    @Test("the spares are the smallest that suffice")
    func smallest() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let plan = try Redundancy(
                needed: .random(in: 1...80, using: &random), availability: .random(in: 0.3...0.999, using: &random))
            let nines = Int.random(in: 1...9, using: &random)
            let allowed = (0..<nines).reduce(1.0) { power, _ in power / 10 }
            let spares = try #require(try plan.spares(nines: nines))
            #expect(try plan.shortfall(spares: spares) <= allowed * (1 + 1e-9), "seed \(seed)")
            if spares > 0 { #expect(try plan.shortfall(spares: spares - 1) > allowed * (1 - 1e-9), "seed \(seed)") }
        }
    }

    @Test("what no number of spares reaches has no answer, and ends the list of nines")
    func unreachable() throws {
        #expect(try Redundancy(needed: 2_000, availability: 0.01).spares(for: 0.9) == nil)
        let plan = try Redundancy(needed: 4, availability: 0.99, zones: 2, zoneAvailability: 0.99)
        let example = try Redundancy(needed: 8, availability: 0.956).nines(
            through: 3, price: ReplicaPrice(nanoDollarsPerHour: 2 * dollar))
        #expect(example.last?.description == "3 nines: 3 spares (1 more), $4380.00 a month")
        let steps = try plan.nines(through: 9, price: ReplicaPrice(nanoDollarsPerHour: dollar))
        #expect(steps.map(\.nines) == [1, 2, 3])
    }

    @Test("an amount that does not fit is refused")
    func overflow() throws {
        let price = try ReplicaPrice(nanoDollarsPerHour: .max / 730)
        #expect(try price.monthlyNanoDollars(replicas: 1) == .max / 730 * 730)
        #expect(try price.monthlyNanoDollars(replicas: 0) == 0)
        #expect(throws: ConfigurationError.self) { try price.monthlyNanoDollars(replicas: 2) }
        #expect(throws: ConfigurationError.self) { try price.monthlyNanoDollars(replicas: -1) }
        #expect(throws: ConfigurationError.self) { try ReplicaPrice(nanoDollarsPerHour: -1) }
        let most = try ReplicaPrice(nanoDollarsPerHour: .max)
        #expect(throws: ConfigurationError.self) { try most.monthlyNanoDollars(replicas: 1) }
        #expect(try ReplicaPrice(nanoDollarsPerHour: 0).monthlyNanoDollars(replicas: .max) == 0)
    }
}
