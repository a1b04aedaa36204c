import SpillwayCore
import Testing

@Suite struct InstantTests {
    @Test func additionStopsAtTheEnds() {
        #expect(Instant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
        #expect(at(1).advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(at(-1).advanced(by: .seconds(Int64.min)).nanoseconds == .min)
        #expect(Instant(nanoseconds: .min).advanced(by: .seconds(-1)).nanoseconds == .min)
        #expect(at(1).advanced(by: .milliseconds(-1_500)) == at(-0.5))
    }

    @Test func differencesStopAtTheEnds() {
        let first = Instant(nanoseconds: .min)
        #expect(first.duration(to: .distantFuture) == .nanoseconds(Int64.max))
        #expect(Instant.distantFuture.duration(to: first) == .nanoseconds(Int64.min))
        #expect(at(3).duration(to: at(1)) == .seconds(-2))
        #expect(at(1) < at(2))
        #expect(Instant(nanoseconds: 5).advanced(by: .nanoseconds(-3)) == Instant(nanoseconds: 2))
    }

    @Test func durationsBecomeNanosecondsWithoutOverflow() {
        #expect(Duration.seconds(Int64.max).clampedNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).clampedNanoseconds == .min)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999).clampedNanoseconds == 1)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999).clampedNanoseconds == -1)
        #expect(Duration.nanoseconds(Int64.max).clampedNanoseconds == .max)
        #expect(Duration.nanoseconds(Int64.min).clampedNanoseconds == .min)
    }

    @Test func sumsAndDifferencesAgreeWhereTheyFit() {
        forSeeds(1_000) { seed, random in
            let start = Instant(nanoseconds: Int64(bitPattern: random.next()) >> 1)
            let end = Instant(nanoseconds: Int64(bitPattern: random.next()) >> 1)
            #expect(start.advanced(by: start.duration(to: end)) == end, "seed \(seed)")
        }
    }

    @Test func whatIsLeftIsNeverNegative() {
        let call = Call()
        #expect(Attempt(number: 1, call: call, started: at(5)).remaining == nil)
        #expect(Attempt(number: 1, call: call, started: at(5), deadline: at(7)).remaining == .seconds(2))
        #expect(Attempt(number: 1, call: call, started: at(9), deadline: at(7)).remaining == .zero)
    }

    @Test(arguments: [
        (0, "0.0 seconds"), (1_000_000_000, "1.0 seconds"), (-1_500_000_000, "-1.5 seconds"),
        (1, "0.000000001 seconds"),
        (4_001_000_000_000, "4001.0 seconds"), (1_020_000_000, "1.02 seconds"),
        (Int64.max, "9223372036.854775807 seconds"), (Int64.min, "-9223372036.854775808 seconds"),
    ])
    func isDescribedExactly(nanoseconds: Int64, text: String) {
        #expect("\(Instant(nanoseconds: nanoseconds))" == text)
    }
}
