import SpillwayCore
import Testing

@testable import Admission

/// Controlled delay, by the pseudocode of RFC 8289.
@Suite struct CoDelTests {
    private let ms = Int64(1_000_000)
    /// In an object, because an expectation cannot change a value.
    private final class Queue {
        private var codel = CoDel(target: .milliseconds(5), interval: .milliseconds(100))
        func drops(after waited: Int64, at now: Int64) -> Bool { codel.drops(after: waited, at: now) }
    }

    @Test func aQueueThatIsShortNowAndThenLosesNothing() {
        let codel = Queue()
        for step in 0..<1_000 as Range<Int64> {
            // 90 ms too long, then short once.
            #expect(!codel.drops(after: step % 10 == 9 ? ms : 50 * ms, at: step * 10 * ms))
        }
    }

    @Test func aStandingQueueLosesOneAfterAnIntervalAndThenMoreAndMore() {
        let codel = Queue()
        var drops: [Int64] = []
        for step in 0..<1_000 as Range<Int64> where codel.drops(after: 50 * ms, at: step * ms) { drops.append(step) }
        #expect(drops.first == 100)
        // The n-th pause is the interval ÷ √n, to within a step.
        for (index, pair) in zip(drops, drops.dropFirst()).enumerated() {
            let pause = 100 / Double(index + 1).squareRoot()
            #expect(abs(Double(pair.1 - pair.0) - pause) <= 1, "pause \(index)")
        }
        #expect(drops.count > 20)
    }

    @Test func itStopsAtOnceWhenTheWaitIsShortAgain() {
        let codel = Queue()
        for step in 0..<500 as Range<Int64> { _ = codel.drops(after: 50 * ms, at: step * ms) }
        #expect(!codel.drops(after: 4 * ms, at: 500 * ms))
        for step in 501..<600 as Range<Int64> { #expect(!codel.drops(after: 50 * ms, at: step * ms)) }
    }

    @Test func soonAfterItGoesOnAtTheRateThatHelped() {
        func pauses(afterRestOf rest: Int64) -> [Int64] {
            let codel = Queue()
            for step in 0..<1_000 as Range<Int64> { _ = codel.drops(after: 50 * ms, at: step * ms) }
            _ = codel.drops(after: 0, at: 1_000 * ms)
            var drops: [Int64] = []
            for step in (1_000 + rest)..<(2_000 + rest) where codel.drops(after: 50 * ms, at: step * ms) {
                drops.append(step)
            }
            return zip(drops, drops.dropFirst()).map { $0.1 - $0.0 }
        }
        #expect(pauses(afterRestOf: 10)[0] < 40)
        #expect(pauses(afterRestOf: 10_000)[0] >= 99)
    }

    @Test func aClockThatGoesBackDropsNothingEarly() {
        let codel = Queue()
        #expect(!codel.drops(after: 50 * ms, at: 1_000 * ms))
        for step in 0..<900 as Range<Int64> { #expect(!codel.drops(after: 50 * ms, at: step * ms)) }
    }
}
