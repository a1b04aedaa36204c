import GPUClient
import SpillwayCore
import Testing

@Suite("Zones")
struct ZoneTests {
    @Test("zones that never fail change nothing")
    func perfect() throws {
        let plain = try Redundancy(needed: 8, availability: 0.97)
        for zones in 1...5 {
            let spread = try Redundancy(needed: 8, availability: 0.97, zones: zones)
            for spares in 0...6 {
                #expect(close(try spread.shortfall(spares: spares), try plain.shortfall(spares: spares)))
            }
        }
    }

    @Test("the mixture agrees with enumeration of all states")
    func enumeration() throws {
        for zones in 1...4 {
            for needed in 1...4 {
                for spares in 0...4 {
                    let plan = try Redundancy(
                        needed: needed, availability: 0.93, zones: zones, zoneAvailability: 0.98)
                    let all = enumerated(plan, spares: spares)
                    #expect(close(try plan.shortfall(spares: spares), all.shortfall))
                    #expect(close(try plan.attainment(spares: spares), all.attainment))
                }
            }
        }
    }

    /// Computed in rational numbers, rounded once.
    @Test(
        "eight replicas and four spares over zones of 99.9 %",
        arguments: zip(
            1...4, [0.0010000746223857342, 0.0019990745477633486, 0.00023437508986430913, 1.9768134268557913e-05]))
    func exact(zones: Int, shortfall: Double) throws {
        let plan = try Redundancy(needed: 8, availability: 0.99, zones: zones, zoneAvailability: 0.999)
        #expect(close(try plan.shortfall(spares: 4), shortfall))
    }

    @Test("one zone cannot be better than itself; more zones need fewer spares", arguments: zip(1...4, [nil, 9, 5, 4]))
    func spares(zones: Int, spares: Int?) throws {
        let plan = try Redundancy(needed: 8, availability: 0.99, zones: zones, zoneAvailability: 0.999)
        #expect(try plan.spares(for: 0.9999) == spares)
        #expect(try plan.spares(nines: 4) == spares)
    }
}
