import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct RateMeterTests {
    @Test func aBurstAndWhatDripsInMayPass() throws {
        var meter = try RateMeter(units: 2, per: .seconds(1), burst: 3)
        meter.took(3, at: at(1))
        meter.took(2, at: at(2))
        meter.took(1, at: at(2.5))
        #expect(meter.excess == nil)
    }

    @Test func oneNanosecondTooSoonIsTooMuch() throws {
        var meter = try RateMeter(units: 1, per: .seconds(1), burst: 5)
        meter.took(5, at: at(1))
        meter.took(1, at: Instant(nanoseconds: 1_999_999_999))
        let excess = try #require(meter.excess)
        #expect(excess.units == 6 && excess.allowed == 5)
        #expect(excess.from == at(1) && excess.to == Instant(nanoseconds: 1_999_999_999))
    }

    @Test func theSpanMayLieAnywhere() throws {
        var meter = try RateMeter(units: 1, per: .seconds(1), burst: 2)
        for second in 0..<10 { meter.took(1, at: at(Double(second) * 5)) }
        #expect(meter.excess == nil)
        for _ in 0..<3 { meter.took(1, at: at(102)) }
        meter.took(1, at: at(200))
        #expect("\(try #require(meter.excess))" == "3 units from 102.0 seconds to 102.0 seconds, at most 2 may pass")
    }

    @Test func theOrderOfTellingDoesNotMatter() throws {
        var meter = try RateMeter(units: 1, per: .seconds(1), burst: 2)
        for second in [9.0, 3, 9, 4, 5, 6] { meter.took(1, at: at(second)) }
        #expect(meter.excess == nil)
        meter.took(1, at: at(8.5))
        #expect(meter.excess?.to == at(9))
    }

    @Test func unitsGivenBackWereNeverTaken() throws {
        var meter = try RateMeter(units: 1, per: .seconds(1), burst: 2)
        let first = meter.took(2, at: at(1))
        meter.took(2, at: at(1))
        #expect(meter.excess != nil)
        meter.gaveBack(first)
        meter.gaveBack(99)
        #expect(meter.excess == nil)
    }

    @Test func theLargestNumbersDoNotOverflow() throws {
        var meter = try RateMeter(units: 1 << 32, per: .seconds(315_576_000), burst: 1 << 32)
        meter.took(.max, at: Instant(nanoseconds: .min))
        meter.took(.max, at: .distantFuture)
        #expect(meter.excess == nil)
        meter.took(.max, at: .distantFuture)
        #expect(meter.excess?.to == .distantFuture)
    }

    @Test func itFindsWhatLookingAtEverySpanFinds() throws {
        for seed in 0..<2_000 {
            let random = RandomSource.seeded(UInt64(seed))
            func draw(_ limit: UInt64) -> Int { Int(random.next(through: limit)) }
            let units = 1 + draw(3), burst = 1 + draw(4)
            var meter = try RateMeter(units: units, per: .nanoseconds(3), burst: burst)
            var taken: [(at: Int, cost: Int)] = []
            for _ in 0..<(1 + draw(9)) {
                taken.append((draw(30), draw(3)))
                meter.took(UInt32(taken.last!.cost), at: Instant(nanoseconds: Int64(taken.last!.at)))
            }
            let exceeds = taken.contains { first in
                taken.contains { last in
                    guard last.at >= first.at else { return false }
                    let sum = taken.filter { (first.at...last.at).contains($0.at) }.reduce(0) { $0 + $1.cost }
                    return sum * 3 > burst * 3 + units * (last.at - first.at)
                }
            }
            #expect((meter.excess != nil) == exceeds, "seed \(seed)")
        }
    }

    @Test func numbersThatCannotWorkAreRefused() {
        #expect(throws: ConfigurationError.self) { try RateMeter(units: 0, per: .seconds(1), burst: 1) }
        #expect(throws: ConfigurationError.self) { try RateMeter(units: 1, per: .zero, burst: 1) }
        #expect(throws: ConfigurationError.self) { try RateMeter(units: 1, per: .seconds(1), burst: 0) }
    }
}
