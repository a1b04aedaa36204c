import Admission
import SpillwayCore
import Testing

@Suite struct ConcurrencyTests {
    /// 663 tokens once went through a limit of 100.
    @Test func aHundredPassWhenManyAskAtOneInstant() async throws {
        for seed in UInt64(1)...60 {
            let instant = Instant(nanoseconds: Int64(RandomSource.seeded(seed).next(through: 1 << 55)))
            let bucket = try makeBucket(.perMinute(100), burst: 100)
            let passed = await sum(over: 64) { _ in bucket.drain(at: instant, most: 11) }
            #expect(passed == 100, "seed \(seed)")
            #expect(bucket.available(at: instant) == 0, "seed \(seed)")
        }
    }

    @Test func aHundredTokensPassWhateverTheCalls() async throws {
        for seed in UInt64(1)...40 {
            let bucket = try makeBucket(.perMinute(100), burst: 100)
            let tokens = await sum(over: 64) { task in
                let random = RandomSource.seeded(seed &* 1_000 &+ UInt64(task))
                var tokens = 0
                for _ in 0..<10 {
                    let cost = UInt32(1 + random.next(through: 20))
                    if bucket.take(cost, at: at(5)) { tokens += Int(cost) }
                }
                while bucket.take(at: at(5)) { tokens += 1 }
                return tokens
            }
            #expect(tokens == 100, "seed \(seed)")
        }
    }

    /// Every task has a clock of its own that lags behind the others'.
    @Test func clocksThatDisagreeMintNothing() async throws {
        for seed in UInt64(1)...4 {
            let bucket = try makeBucket(.perSecond(1_000), burst: 50)
            let passed = await sum(over: 8) { task in
                let random = RandomSource.seeded(seed &* 100 &+ UInt64(task))
                var passed = 0
                for step in 0..<5_000 {
                    let now = Double(step) / 5_000 - Double(random.next(through: 100)) / 1_000
                    if bucket.take(at: at(10 + now)) { passed += 1 }
                }
                return passed
            }
            #expect(passed <= 50 + 1_100, "seed \(seed)")
        }
    }

    @Test func voidedPermitsGiveBackExactlyWhatTheyTook() async throws {
        let bucket = try makeBucket(.perDay(1), burst: 100)
        let failures = await sum(over: 8) { task in
            var failures = 0
            for _ in 0..<5_000 {
                do throws(Rejection) { try bucket.admit(cost: 10, at: at(1)).void(at: at(1)) } catch { failures += 1 }
            }
            return failures
        }
        #expect(failures == 0)
        // What is given back out of turn may be some 66 µs of drip short.
        #expect(bucket.drain(at: at(1.0001), most: 200) == 100)
    }

    @Test func anUpdateKeepsWhatWasSpent() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 10)
        #expect(bucket.take(6, at: at(1)))
        try bucket.update(.init(rate: .perSecond(100), burst: 20), at: at(1))
        #expect(bucket.configuration.burst == 20)
        #expect((13...14).contains(bucket.drain(at: at(1))))
        #expect((9...10).contains(bucket.drain(at: at(1.1))))
        try bucket.update(.init(rate: .perSecond(1), burst: 5), at: at(1.1))
        #expect(bucket.drain(at: at(1.1)) == 0)
        // The debt is at most the new burst: a correction locks nobody out for longer than it takes to fill.
        #expect(bucket.drain(at: at(6.2)) == 5)
    }

    @Test func duringAnUpdateNeverMoreThanTheLargerLimitPasses() async throws {
        let small = TokenBucket.Configuration(rate: .perDay(50), burst: 50)
        let large = TokenBucket.Configuration(rate: .perDay(100_000), burst: 100)
        for round in 0..<150 {
            let bucket = try TokenBucket("b", round % 2 == 0 ? small : large)
            let passed = await sum(over: 5) { task in
                guard task == 2 else { return bucket.drain(at: at(1), most: 200) }
                try? bucket.update(round % 2 == 0 ? large : small, at: at(1))
                return 0
            }
            #expect(passed <= 100, "round \(round)")
            #expect(passed >= 48, "round \(round)")
        }
    }

    @Test func ratesThatChangeBackAndForthMintNothing() async throws {
        let one = TokenBucket.Configuration(rate: .perDay(50), burst: 100)
        let other = TokenBucket.Configuration(rate: .perDay(100_000), burst: 100)
        for round in 0..<25 {
            let bucket = try TokenBucket("b", one)
            let passed = await sum(over: 5) { task in
                guard task == 0 else { return bucket.drain(at: at(1), most: 60) }
                for change in 0..<200 { try? bucket.update(change % 2 == 0 ? other : one, at: at(1)) }
                return 0
            }
            #expect(passed <= 100, "round \(round)")
        }
    }
}
