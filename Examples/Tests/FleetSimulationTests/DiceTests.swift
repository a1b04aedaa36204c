import Testing

@testable import FleetSimulation

@Suite("Dice")
struct DiceTests {
    /// Printed by `random.Random(seed)` of CPython 3.11.
    @Test(
        "the twister gives Python's numbers",
        arguments: [
            (0 as UInt64, 0.8444218515250481, [6, 0, 4, 7, 6, 4, 7, 5]),
            (1 as UInt64, 0.13436424411240122, [1, 4, 1, 7, 7, 7, 6, 3]),
            (12345 as UInt64, 0.41661987254534116, [0, 4, 5, 3, 4, 6, 2, 5]),
            (4294967295 as UInt64, 0.6353574441341173, [3, 3, 4, 5, 6, 4, 5, 7]),
            (4294967296 as UInt64, 0.11299430095636409, [6, 0, 0, 5, 7, 0, 2, 1]),
            (1099511627853 as UInt64, 0.38210353532021035, [5, 5, 7, 6, 6, 0, 2, 6]),
            (9223372036854775807 as UInt64, 0.3166448820870279, [2, 7, 7, 1, 7, 4, 2, 5]),
        ])
    func python(seed: UInt64, unit: Double, choices: [Int]) {
        var twister = MersenneTwister(seed: seed)
        #expect(twister.unit() == unit)
        #expect((1...8).map { _ in twister.below(8) } == choices)
    }

    @Test("Python's numbers agree past the first refill")
    func refill() {
        var twister = MersenneTwister(seed: 1)
        for _ in 0..<100_000 { _ = twister.bits() }
        #expect(twister.bits() == 3147266572)
    }

    @Test("what becomes of a slot depends on the seed and the slot alone")
    func slots() {
        var one = SlotDice(seed: 7)
        let two = SlotDice(seed: 7)
        let other = SlotDice(seed: 8)
        var differ = 0
        for tick in 0..<200 {
            for replica in 0..<8 {
                for index in 0..<10 {
                    let slot = Slot(tick: tick, replica: replica, index: index)
                    _ = one.pick(below: 8)
                    #expect(one.succeeds(in: slot, share: 0.5) == two.succeeds(in: slot, share: 0.5))
                    if two.succeeds(in: slot, share: 0.5) != other.succeeds(in: slot, share: 0.5) { differ += 1 }
                }
            }
        }
        #expect((7_600...8_400).contains(differ))
    }

    @Test("slots succeed as often as they should, and picks are even")
    func shares() {
        var dice = SlotDice(seed: 3)
        let good = (0..<100_000).count {
            dice.succeeds(in: Slot(tick: $0 / 80, replica: $0 / 10 % 8, index: $0 % 10), share: 0.98)
        }
        // Five standard deviations.
        #expect((97_780...98_220).contains(good))
        var counts = Array(repeating: 0, count: 8)
        for _ in 0..<80_000 { counts[dice.pick(below: 8)] += 1 }
        #expect(counts.allSatisfy { (9_530...10_470).contains($0) })
    }
}
