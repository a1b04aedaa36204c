import CAllocations
import Hedging
import SpillwayCore
import Testing

@Suite struct LatencyHistogramTests {
    private struct Observation {
        let nanoseconds: Int64
        let cut: Bool
    }

    /// The end of the bucket of a time, by the description and not by the code: 128 parts of every power of two of 2¹³ ns.
    private func end(_ nanoseconds: Int64) -> Int64 {
        let units = nanoseconds / 8_192
        var width: Int64 = 1
        while units / width >= 256 { width *= 2 }
        return (units / width + 1) * width * 8_192
    }

    /// The product-limit estimate as the textbook does it: time by time, over the observations themselves.
    private func reference(_ quantile: Double, _ all: [Observation]) -> Duration {
        let times = Set(all.map { end($0.nanoseconds) }).sorted()
        var goesOn = 1.0
        for time in times {
            let atRisk = all.count { end($0.nanoseconds) >= time }
            let ended = all.count { !$0.cut && end($0.nanoseconds) == time }
            goesOn *= 1 - Double(ended) / Double(atRisk)
            if goesOn <= 1 - quantile + 1e-9 { return .nanoseconds(time) }
        }
        return .nanoseconds(times.last ?? 0)
    }

    @Test func quantilesAreThoseOfTheProductLimitEstimator() throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            let random = RandomSource.seeded(seed)
            let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 1))
            var all: [Observation] = []
            for _ in 0...random.next(through: 150) {
                // From microseconds to minutes; for some seeds many at the same time.
                let exponent = 10 + Int(random.next(through: seed % 2 == 0 ? 27 : 3))
                let one = Observation(
                    nanoseconds: Int64(random.next(through: 1 << UInt64(exponent))), cut: random.next(through: 2) == 0)
                all.append(one)
                if one.cut {
                    histogram.recordCensored(.nanoseconds(one.nanoseconds), at: at(5))
                } else {
                    histogram.record(.nanoseconds(one.nanoseconds), at: at(5))
                }
            }
            guard all.contains(where: { !$0.cut }) else { continue }
            for quantile in [0, 0.1, 0.5, 0.9, 0.95, 0.99, 1] {
                #expect(histogram.quantile(quantile, at: at(5)) == reference(quantile, all), "seed \(seed)")
            }
        }
    }

    /// The example of Kaplan and Meier (1958, section 2).
    ///
    /// Deaths at 0.8, 3.1, 5.4 and 9.2 months, losses at 1.0, 2.7, 7.0 and 12.1: 0.875, 0.7, 0.525 and 0.2625 live on.
    @Test func theExampleOfTheirPaper() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 4))
        for month in [0.8, 3.1, 5.4, 9.2] { histogram.record(.seconds(month), at: at(1)) }
        for month in [1.0, 2.7, 7.0, 12.1] { histogram.recordCensored(.seconds(month), at: at(1)) }
        for (quantile, month) in [
            (0.12, 0.8), (0.13, 3.1), (0.3, 3.1), (0.31, 5.4), (0.47, 5.4), (0.48, 9.2), (0.74, 12.1),
        ] {
            let found = try #require(histogram.quantile(quantile, at: at(1))) / .seconds(1)
            #expect(found >= month && found <= month * (1 + 1 / 128), "\(quantile)")
        }
    }

    @Test func aTimeIsKeptToWithinAHundredAndTwentyEighthAndNeverShortened() throws {
        let random = RandomSource.seeded(3)
        for _ in 0..<2_000 {
            let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 1))
            let time = Int64(random.next(through: 1 << (random.next(through: 40))))
            histogram.record(.nanoseconds(time), at: at(1))
            let found = try #require(histogram.quantile(0.5, at: at(1))).nanosecondsOfTest
            #expect(found > time && found - time <= max(time / 128, 8_192))
        }
    }

    @Test func timesOutOfRangeAreKeptAtItsEnds() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 1))
        histogram.record(.seconds(-5), at: at(1))
        #expect(histogram.quantile(1, at: at(1)) == .nanoseconds(8_192))
        histogram.record(.seconds(1 << 40), at: at(1))
        histogram.recordCensored(.nanoseconds(Int64.max), at: at(1))
        #expect(histogram.quantile(1, at: at(1)) == .nanoseconds(1 << 41))
        #expect(histogram.quantile(.nan, at: at(1)) != nil)
    }

    @Test func itSaysNothingBeforeEnoughCallsHaveEnded() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 10))
        #expect(histogram.quantile(0.95, at: at(0)) == nil)
        for _ in 0..<9 { histogram.record(.seconds(1), at: at(1)) }
        for _ in 0..<1_000 { histogram.recordCensored(.seconds(1), at: at(1)) }
        #expect(histogram.quantile(0.95, at: at(1)) == nil)
        histogram.record(.seconds(1), at: at(1))
        #expect(histogram.quantile(0.95, at: at(1)) != nil)
    }

    @Test func whatIsOlderThanTwoSpansIsForgotten() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 1))
        histogram.record(.seconds(1), at: at(10))
        #expect(histogram.quantile(0.5, at: at(59)) != nil)
        #expect(histogram.quantile(0.5, at: at(60)) == nil)
        // The same row comes into use again: nothing of the old is in it, whichever buckets are written.
        histogram.record(.seconds(100), at: at(61))
        #expect(try #require(histogram.quantile(0.01, at: at(62))) > .seconds(99))
        // 30 days without a call.
        let later = 61.0 + 30 * 86_400
        #expect(histogram.quantile(0.5, at: at(later)) == nil)
        histogram.record(.seconds(3), at: at(later))
        #expect(try #require(histogram.quantile(1, at: at(later))) < .seconds(4))
    }

    @Test func whoComesWithAnOldTimeSpoilsNothing() throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 1))
        histogram.record(.seconds(1), at: at(100))
        histogram.record(.seconds(1), at: at(20))  // two spans before: its row is in use, and no longer its own
        histogram.record(.seconds(50), at: at(70))  // the span before: counts
        #expect(histogram.quantile(0.5, at: at(100))! < .seconds(2))
        #expect(histogram.quantile(0.51, at: at(100))! > .seconds(49))
        #expect(histogram.quantile(1, at: at(100))! > .seconds(49))
        histogram.record(.seconds(7), at: Instant(nanoseconds: -5))
        #expect(histogram.quantile(1, at: Instant(nanoseconds: .min))! > .seconds(6))
    }

    @Test func callersAtOnceLoseNothing() async throws {
        let histogram = try LatencyHistogram(.init(span: .seconds(30), minimum: 40_000))
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for step in 0..<10_000 {
                        histogram.record(.milliseconds(worker < 2 ? 10 : 20), at: at(step % 2 == 0 ? 1 : 31))
                    }
                }
            }
        }
        #expect(try #require(histogram.quantile(0.5, at: at(31))) < .milliseconds(11))
        #expect(try #require(histogram.quantile(0.5001, at: at(31))) > .milliseconds(19))
    }

    @Test(.enabled(if: allocations_are_counted())) func recordingAllocatesNothing() throws {
        let histogram = try LatencyHistogram()
        let time = Duration.milliseconds(300), early = at(1), late = at(31)
        let before = allocations_of_thread()
        for step in 0..<10_000 {
            histogram.record(time, at: step % 2 == 0 ? early : late)
            histogram.recordCensored(time, at: late)
        }
        #expect(allocations_of_thread() - before == 0)
    }

    @Test func whatCannotWorkIsRefused() {
        for (field, configuration) in [
            ("span", LatencyHistogram.Configuration(span: .milliseconds(999))), ("span", .init(span: .seconds(86_401))),
            ("minimum", .init(span: .seconds(30), minimum: 0)),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try LatencyHistogram(configuration) }
            #expect(error?.field == field)
        }
    }
}

extension Duration {
    /// Whole nanoseconds.
    fileprivate var nanosecondsOfTest: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
