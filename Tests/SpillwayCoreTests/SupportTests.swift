import SpillwayCore
import Testing

@Suite struct SupportTests {
    @Test func aSeedGivesTheSameNumbersEveryTime() {
        var seen: Set<UInt64> = []
        for seed in UInt64(0)..<50 {
            let one = RandomSource.seeded(seed), two = RandomSource.seeded(seed)
            let numbers = (0..<50).map { _ in one.next() }
            #expect(numbers == (0..<50).map { _ in two.next() }, "seed \(seed)")
            seen.formUnion(numbers)
        }
        #expect(seen.count == 2_500)
    }

    @Test func copiesShareOneSequence() {
        let one = RandomSource.seeded(1), copy = one, same = RandomSource.seeded(1)
        #expect([one.next(), copy.next()] == [same.next(), same.next()])
    }

    @Test func numbersStayInTheirRangeAndReachItsEnds() {
        forSeeds(50) { seed, random in
            #expect(random.next(through: 0) == 0)
            let dice = (0..<500).map { _ in random.next(through: 5) }
            #expect(Set(dice) == Set(0...5), "seed \(seed)")
            let limit = random.next() >> random.next(through: 63)
            for _ in 0..<100 { #expect(random.next(through: limit) <= limit, "seed \(seed)") }
            _ = random.next(through: .max)
        }
    }

    @Test func numbersAreEvenlySpread() {
        let random = RandomSource.seeded(42)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<100_000 { counts[Int(random.next(through: 9))] += 1 }
        for count in counts { #expect(abs(count - 10_000) < 500) }
    }

    @Test func theSystemsNumbersDiffer() async {
        let numbers = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<8 { group.addTask { (0..<1_000).map { _ in RandomSource.system.next() } } }
            return await group.reduce(into: Set<UInt64>()) { $0.formUnion($1) }
        }
        #expect(numbers.count == 8_000)
    }

    @Test func aLockLetsOneInAtATime() async {
        let counter = Shared(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { counter.change { $0 += 1 } } } }
        }
        #expect(counter.value == 80_000)
    }

    @Test func aLockIsFreeAgainAfterAnErrorAndItsValueGoesWithIt() {
        struct Failure: Error {}
        final class Thing {}
        weak var left: Thing?
        do {
            let thing = Thing()
            left = thing
            let lock = Locked(thing)
            #expect(throws: Failure.self) { try lock.withLock { _ in throw Failure() } }
            #expect(lock.withLock { $0 === thing })
        }
        #expect(left == nil)
    }
}
