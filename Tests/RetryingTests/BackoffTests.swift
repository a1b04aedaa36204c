import Retrying
import SpillwayCore
import Testing

@Suite struct BackoffTests {
    private let jitters: [Backoff.Jitter] = [.none, .full, .equal, .decorrelated]
    private let retries = [1, 2, 3, 5, 10, 30, 62, 63, 64, 65, 100, 1_100, 1 << 40, Int.max]

    /// The bounds of a wait whose ceiling is `ceiling`.
    private func bounds(_ jitter: Backoff.Jitter, _ ceiling: Duration) -> ClosedRange<Duration> {
        let half = Duration.nanoseconds(ceiling.clampedNanoseconds / 2)
        return jitter == .none ? ceiling...ceiling : jitter == .full ? .zero...ceiling : half...ceiling
    }

    @Test func waitsWithoutJitterGrowAsTheirKindSays() throws {
        let constant = try Backoff.constant(.seconds(3))
        let linear = try Backoff.linear(from: .seconds(2), cap: .seconds(9), jitter: .none)
        let doubling = try Backoff.exponential(from: .milliseconds(200), jitter: .none)
        let tripling = try Backoff.exponential(from: .seconds(1), factor: 3, cap: .seconds(50), jitter: .none)
        let slow = try Backoff.exponential(from: .seconds(1), factor: 1.5, cap: .seconds(50), jitter: .none)
        #expect([1, 2, 99].map { constant.delay(beforeRetry: $0) } == [.seconds(3), .seconds(3), .seconds(3)])
        #expect([1, 2, 4, 5, 6].map { linear.delay(beforeRetry: $0) } == [2, 4, 8, 9, 9].map { .seconds($0) })
        #expect(
            [1, 2, 3, 7, 8, 9].map { doubling.delay(beforeRetry: $0) }
                == [
                    200, 400, 800, 12_800, 20_000, 20_000,
                ].map { .milliseconds($0) })
        #expect([1, 2, 3, 4, 5].map { tripling.delay(beforeRetry: $0) } == [1, 3, 9, 27, 50].map { .seconds($0) })
        #expect([1, 2, 3].map { slow.delay(beforeRetry: $0) } == [1_000, 1_500, 2_250].map { .milliseconds($0) })
        #expect(Backoff.none.delay(beforeRetry: 5) == .zero)
        for wrong in [0, -1, .min + 1, .min] { #expect(doubling.delay(beforeRetry: wrong) == .milliseconds(200)) }
    }

    @Test func everyWaitIsWithinItsBounds() throws {
        try forSeeds(200) { seed, random in
            let base = Duration.nanoseconds(Int64(random.next(through: 1 << random.next(through: 40))))
            let cap = base + .nanoseconds(Int64(random.next(through: 1 << random.next(through: 55))))
            let factor = [1, 1.0000001, 1.5, 2, 3.7, 1_000][Int(random.next(through: 5))]
            for jitter in jitters where jitter != .decorrelated {
                let kinds = [
                    try Backoff.constant(base, jitter: jitter), try .linear(from: base, cap: cap, jitter: jitter),
                    try .exponential(from: base, factor: factor, cap: cap, jitter: jitter),
                ]
                let plain = [
                    try Backoff.constant(base), try .linear(from: base, cap: cap, jitter: .none),
                    try .exponential(from: base, factor: factor, cap: cap, jitter: .none),
                ]
                for (kind, plain) in zip(kinds, plain) {
                    var last = Duration.zero
                    for retry in retries {
                        let ceiling = plain.delay(beforeRetry: retry)
                        #expect(ceiling >= last && ceiling >= base && ceiling <= cap, "seed \(seed), retry \(retry)")
                        last = ceiling
                        let wait = kind.delay(beforeRetry: retry, random: random)
                        #expect(bounds(jitter, ceiling).contains(wait), "seed \(seed), \(jitter), retry \(retry)")
                    }
                }
            }
        }
    }

    @Test func decorrelatedWaitsStayBetweenTheBaseAndThreeTimesTheLast() throws {
        try forSeeds(200) { seed, random in
            let base = Duration.nanoseconds(Int64(1 + random.next(through: 1 << 34)))
            let cap = base * 50
            let backoff = try Backoff.exponential(from: base, cap: cap, jitter: .decorrelated)
            var previous = Duration.zero
            for retry in 1...100 {
                let wait = backoff.delay(beforeRetry: retry, previous: previous, random: random)
                #expect(wait >= base && wait <= cap && wait <= max(previous, base) * 3, "seed \(seed)")
                previous = wait
            }
            let wait = backoff.delay(beforeRetry: 1_100, previous: .seconds(Int64.max), random: random)
            #expect(wait >= base && wait <= cap, "seed \(seed)")
            let odd = backoff.delay(beforeRetry: 1, previous: .seconds(-5), random: random)
            #expect(odd >= base && odd <= base * 3, "seed \(seed)")
        }
    }

    @Test func jitterReachesBothEndsOfItsRange() throws {
        let full = try Backoff.constant(.nanoseconds(3), jitter: .full)
        let equal = try Backoff.constant(.nanoseconds(4), jitter: .equal)
        let random = RandomSource.seeded(1)
        #expect(Set((0..<200).map { _ in full.delay(beforeRetry: 1, random: random) }).count == 4)
        #expect(
            Set((0..<200).map { _ in equal.delay(beforeRetry: 1, random: random) }) == [
                .nanoseconds(2), .nanoseconds(3), .nanoseconds(4),
            ])
    }

    @Test func aSeedGivesTheSameWaitsEveryTime() throws {
        for jitter in jitters {
            let backoff = try Backoff.exponential(from: .milliseconds(10), jitter: jitter)
            forSeeds(20) { seed, _ in
                func waits() -> [Duration] {
                    let random = RandomSource.seeded(seed)
                    return (1...30).map { backoff.delay(beforeRetry: $0, previous: .seconds(1), random: random) }
                }
                #expect(waits() == waits(), "seed \(seed)")
            }
        }
    }

    @Test func refusesWhatCannotWork() {
        let bad: [(field: String, make: () throws -> Backoff)] = [
            ("base", { try .constant(.seconds(-1)) }),
            ("base", { try .constant(.seconds(Int64.max)) }),
            ("cap", { try .linear(from: .seconds(5), cap: .seconds(4)) }),
            ("cap", { try .exponential(from: .seconds(5), cap: .seconds(Int64.max)) }),
            ("factor", { try .exponential(from: .seconds(1), factor: 0.5) }),
            ("factor", { try .exponential(from: .seconds(1), factor: .nan) }),
            ("factor", { try .exponential(from: .seconds(1), factor: .infinity) }),
        ]
        for (field, make) in bad {
            let error = #expect(throws: ConfigurationError.self) { _ = try make() }
            #expect(error?.field == field)
            #expect(error?.policy == "Backoff")
        }
    }
}
