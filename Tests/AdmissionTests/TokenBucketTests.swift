import Admission
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct TokenBucketTests {
    private let rates: [Rate] = [
        .perSecond(3), .perSecond(7), .perSecond(1e9), .perMinute(100), .perDay(1), Rate(7, per: .milliseconds(11)),
        Rate(0.3, per: .seconds(1)),
    ]

    @Test func theBurstIsExactOneByOneAndAtOnce() throws {
        for rate in rates {
            for burst in [UInt32(1), 2, 3, 10, 1_000] {
                let single = try makeBucket(rate, burst: burst)
                #expect(single.available(at: at(5)) == Int(burst))
                for _ in 0..<burst { #expect(single.take(at: at(5)), "\(rate), burst \(burst)") }
                let together = try makeBucket(rate, burst: burst)
                #expect(together.take(burst, at: at(5)), "\(rate), burst \(burst)")
                let one = try #require(single.refusal(at: at(5)))
                let all = try #require(together.refusal(at: at(5)))
                #expect(one.retryAfter == all.retryAfter, "\(rate), burst \(burst)")
                #expect(one.reason == .rateLimited && one.retryAfter != nil)
                #expect(single.available(at: at(5)) == 0)
            }
        }
    }

    @Test func aRefusalSaysWhenAndThenItPassesAndNotBefore() throws {
        try forSeeds(300) { seed, random in
            let burst = UInt32(1 + random.next(through: 50))
            let rate = Rate(
                0.1 + Double(random.next(through: 1_000_000)) / 97,
                per: .milliseconds(Int64(1 + random.next(through: 5_000))))
            let bucket = try makeBucket(rate, burst: burst)
            var now = Instant(nanoseconds: Int64(random.next(through: 1 << 50)))
            for _ in 0..<40 {
                now = now.advanced(by: .nanoseconds(Int64(random.next(through: 1 << random.next(through: 30)))))
                let cost = UInt32(1 + random.next(through: UInt64(burst) - 1))
                guard let refusal = bucket.refusal(cost, at: now) else { continue }
                let wait = try #require(refusal.retryAfter, "seed \(seed)")
                #expect(wait > .zero, "seed \(seed)")
                let ready = now.advanced(by: wait)
                #expect(!bucket.take(cost, at: ready.advanced(by: .nanoseconds(-1))), "seed \(seed): early")
                #expect(bucket.take(cost, at: ready), "seed \(seed): late")
                now = ready
            }
        }
    }

    @Test func aStaleOrBackwardTimeMintsNothing() throws {
        let bucket = try makeBucket(.perSecond(10), burst: 5)
        #expect(bucket.drain(at: at(100)) == 5)
        for earlier in [99.999, 50, 0, -1] { #expect(!bucket.take(at: at(earlier)), "at \(earlier)") }
        #expect(!bucket.take(at: at(100)))
        #expect(bucket.take(at: at(100.1)))
        try forSeeds(100) { seed, random in
            let bucket = try makeBucket(.perSecond(10), burst: 5)
            var passed = 0
            for _ in 0..<2_000 {
                // Two seconds in all, read in any order.
                if bucket.take(at: at(1_000 + Double(random.next(through: 2_000)) / 1_000)) { passed += 1 }
            }
            #expect(passed <= 25, "seed \(seed)")
        }
    }

    @Test func thirtyIdleDaysGiveExactlyTheBurst() throws {
        for rate in rates {
            let bucket = try makeBucket(rate, burst: 40)
            _ = bucket.drain(at: at(1), most: 40)
            let later = at(1 + 40 * 86_400)
            #expect(bucket.available(at: later) == 40)
            #expect(bucket.take(40, at: later))
            #expect(!bucket.take(at: later))
        }
        let bucket = try makeBucket(.perSecond(3), burst: 7)
        #expect(bucket.drain(at: at(1)) == 7)
        #expect(bucket.drain(at: at(30 * 86_400)) == 7)
    }

    @Test func timeBeyondTheHorizonAndBeforeTheOriginIsHarmless() throws {
        let bucket = try makeBucket(.perSecond(3), burst: 2)
        #expect(bucket.drain(at: Instant(nanoseconds: .min), most: 9) == 2)
        #expect(bucket.drain(at: .distantFuture, most: 9) == 2)
        #expect(bucket.drain(at: .distantFuture, most: 9) == 0)
    }

    @Test func whatIsMoreThanTheBurstNeverPasses() throws {
        let bucket = try makeBucket(.perSecond(3), burst: 5)
        let refusal = try #require(bucket.refusal(6, at: at(1)))
        #expect(refusal.reason == .exceedsBurst)
        #expect(refusal.retryAfter == nil)
        #expect(bucket.refusal(.max, at: at(1e6))?.reason == .exceedsBurst)
        #expect(bucket.drain(at: at(1)) == 5)
    }

    @Test func aCostOfNothingAlwaysPasses() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 2)
        #expect(bucket.drain(at: at(1)) == 2)
        #expect(bucket.take(0, at: at(1)))
        #expect(bucket.take(0, at: at(0)))
        _ = try bucket.reserve(cost: 2, within: .seconds(10), at: at(1))
        #expect(bucket.take(0, at: at(1)))
        #expect(bucket.refusal(at: at(1))?.retryAfter == .seconds(3))
    }

    @Test func callsWeighWhatTheirUnitSays() throws {
        let call = Call(tokens: .estimate(input: 30, maxOutput: 12))
        for (unit, weight) in [(Unit.calls, 1), (.tokens, 42), (.inputTokens, 30), (.outputTokens, 12)] {
            let bucket = try makeBucket(.perSecond(1), burst: 100, unit: unit)
            try bucket.admit(call, at: at(1)).settle(.success, at: at(1))
            #expect(bucket.available(at: at(1)) == 100 - weight, "\(unit)")
        }
    }

    @Test func shadowModeReportsAndRefusesNothing() throws {
        let observer = RecordingObserver()
        let bucket = try TokenBucket(
            "shadow", .init(rate: .perSecond(1), burst: 2, shadow: true), observer: observer)
        for _ in 0..<5 { #expect(bucket.take(at: at(1))) }
        try bucket.admit(cost: 3, at: at(1)).void(at: at(1))
        #expect(observer.shadowed.map(\.reason) == [.rateLimited, .rateLimited, .rateLimited, .exceedsBurst])
        #expect(observer.shadowed.first?.retryAfter == .seconds(1))
        #expect(observer.shadowed.first?.gate.description == "shadow")
    }

    @Test func aPermitMayOutliveItsBucket() throws {
        var bucket: TokenBucket? = try makeBucket(.perSecond(1), burst: 1)
        let permit = try bucket!.admit(at: at(1))
        bucket = nil
        var others: [TokenBucket] = []  // one of them takes over the words of the one before
        for _ in 0..<50 { others.append(try makeBucket(.perSecond(1), burst: 1)) }
        for other in others { #expect(other.take(at: at(1))) }
        permit.void(at: at(1))
        for other in others { #expect(!other.take(at: at(1))) }
    }

    @Test func refusesWhatCannotWork() throws {
        let bad: [(field: String, configuration: TokenBucket.Configuration)] = [
            ("rate.units", .init(rate: .perSecond(0), burst: 1)),
            ("rate.units", .init(rate: .perSecond(-1), burst: 1)),
            ("rate.units", .init(rate: .perSecond(.nan), burst: 1)),
            ("rate.units", .init(rate: .perSecond(.infinity), burst: 1)),
            ("rate.span", .init(rate: Rate(1, per: .zero), burst: 1)),
            ("rate.span", .init(rate: Rate(1, per: .seconds(-5)), burst: 1)),
            ("rate.span", .init(rate: Rate(1, per: .seconds(Int64.max)), burst: 1)),
            ("burst", .init(rate: .perSecond(1), burst: 0)),
            ("rate", .init(rate: .perSecond(1e10), burst: 1)),
            ("rate", .init(rate: .perDay(1), burst: 1_000_000)),
            ("rate", .init(rate: .perSecond(.leastNonzeroMagnitude), burst: 1)),
        ]
        let good = try makeBucket(.perSecond(5), burst: 5)
        for (field, configuration) in bad {
            let error = #expect(throws: ConfigurationError.self) { _ = try TokenBucket("b", configuration) }
            #expect(error?.field == field, "\(configuration)")
            #expect(error?.policy == "TokenBucket")
            #expect(throws: ConfigurationError.self) { try good.update(configuration, at: at(1)) }
        }
        #expect(good.configuration == .init(rate: .perSecond(5), burst: 5))
        #expect(good.drain(at: at(1)) == 5)
        let unnamed = #expect(throws: ConfigurationError.self) {
            _ = try TokenBucket("", .init(rate: .perSecond(1), burst: 1))
        }
        #expect(unnamed?.field == "name")
    }
}
