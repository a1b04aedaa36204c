import GPUClient
import SpillwayCore
import Testing

@Suite("Redundancy")
struct RedundancyTests {
    /// Computed in rational numbers, rounded once.
    @Test(
        "seven nines are not lost to rounding",
        arguments: zip(
            0...6,
            [
                0.0772553055720799, 0.003435730017846292, 0.00011384911790577964, 3.119754574429228e-06,
                7.469708281709167e-08, 1.615703018400398e-09, 3.2273122762087186e-11,
            ]))
    func exact(spares: Int, shortfall: Double) throws {
        let plan = try Redundancy(needed: 8, availability: 0.99)
        #expect(close(try plan.shortfall(spares: spares), shortfall))
        #expect(close(try plan.attainment(spares: spares), 1 - shortfall))
    }

    @Test("the plain formula agrees with enumeration of all states")
    func enumeration() throws {
        for needed in 1...5 {
            for spares in 0...4 {
                for availability in [0.03, 0.5, 0.9, 0.999] {
                    let plan = try Redundancy(needed: needed, availability: availability)
                    let all = enumerated(plan, spares: spares)
                    #expect(close(try plan.attainment(spares: spares), all.attainment))
                    #expect(close(try plan.shortfall(spares: spares), all.shortfall))
                }
            }
        }
    }

    @Test("one more spare is never worse, and the two sides add up to 1")
    func monotone() throws {
        for seed in 1...100 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let plan = try Redundancy(
                needed: .random(in: 1...60, using: &random), availability: .random(in: 0.01...1, using: &random),
                zones: .random(in: 1...5, using: &random), zoneAvailability: .random(in: 0.5...1, using: &random))
            var before = Double.infinity
            for spares in 0...12 {
                let shortfall = try plan.shortfall(spares: spares)
                #expect(shortfall <= before * (1 + 1e-12), "seed \(seed), \(spares) spares")
                #expect(close(shortfall + (try plan.attainment(spares: spares)), 1))
                before = shortfall
            }
        }
    }

    @Test("extreme availabilities stay numbers")
    func extremes() throws {
        for availability in [Double.leastNonzeroMagnitude, 1e-300, Double.ulpOfOne, 1 - Double.ulpOfOne / 2, 1] {
            for needed in [1, 2_000] {
                let plan = try Redundancy(needed: needed, availability: availability)
                let (up, down) = (try plan.attainment(spares: 3), try plan.shortfall(spares: 3))
                #expect((0...1).contains(up) && (0...1).contains(down))
                #expect(close(up + down, 1))
            }
        }
        #expect(try Redundancy(needed: 9_000, availability: 1).shortfall(spares: 0) == 0)
        #expect(try Redundancy(needed: 9_000, availability: 0.9).shortfall(spares: 1_000) > 0.4)
    }

    @Test("availability is uptime over the whole")
    func repair() throws {
        let hour = Duration.seconds(3_600)
        #expect(
            try Redundancy.availability(meanTimeToFailure: .seconds(500), meanTimeToRepair: .seconds(23)) == 500 / 523)
        #expect(try Redundancy.availability(meanTimeToFailure: hour, meanTimeToRepair: .zero) == 1)
        #expect(throws: ConfigurationError.self) {
            try Redundancy.availability(meanTimeToFailure: .zero, meanTimeToRepair: hour)
        }
        #expect(throws: ConfigurationError.self) {
            try Redundancy.availability(meanTimeToFailure: hour, meanTimeToRepair: .seconds(-1))
        }
    }

    @Test("what cannot be is refused by its name")
    func refusals() throws {
        func field(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return (error as? ConfigurationError)?.field }
            return nil
        }
        #expect(field { _ = try Redundancy(needed: 0, availability: 0.9) } == "needed")
        #expect(field { _ = try Redundancy(needed: 10_001, availability: 0.9) } == "needed")
        for bad in [0, -0.1, 1.01, .nan, .infinity] {
            #expect(field { _ = try Redundancy(needed: 1, availability: bad) } == "availability")
            #expect(
                field { _ = try Redundancy(needed: 1, availability: 0.9, zoneAvailability: bad) } == "zoneAvailability")
        }
        #expect(field { _ = try Redundancy(needed: 1, availability: 0.9, zones: 0) } == "zones")
        let plan = try Redundancy(needed: 1, availability: 0.9)
        for bad in [-1, 10_000, .max] {
            #expect(field { _ = try plan.attainment(spares: bad) } == "spares")
            #expect(field { _ = try plan.shortfall(spares: bad) } == "spares")
        }
        for bad in [0, 1, -1, .nan] { #expect(field { _ = try plan.spares(for: bad) } == "target") }
        for bad in [0, 16] { #expect(field { _ = try plan.spares(nines: bad) } == "nines") }
    }
}
