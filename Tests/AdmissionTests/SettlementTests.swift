import Admission
import SpillwayCore
import Testing

/// Buckets of tokens are settled with what was really used.
@Suite struct SettlementTests {
    private func call(_ tokens: Int) -> Call { Call(tokens: .estimate(input: tokens, maxOutput: 0)) }
    private func used(_ tokens: Int) -> Measurements { Measurements(usage: Usage(input: tokens)) }

    @Test func whatWasEstimatedAndNotUsedComesBack() throws {
        let bucket = try makeBucket(.perSecond(10), burst: 1_000, unit: .tokens)
        try bucket.admit(call(900), at: at(1)).settle(.success, used(300), at: at(1))
        #expect(bucket.available(at: at(1)) == 700)
        // Half of it has dripped in by then, and only what is still owed comes back.
        let slow = try makeBucket(.perSecond(10), burst: 1_000, unit: .tokens)
        try slow.admit(call(900), at: at(1)).settle(.success, used(0), at: at(46))
        #expect(slow.available(at: at(46)) == 1_000)
        #expect(slow.drain(at: at(46)) == 1_000)
    }

    @Test func whatWasUsedBeyondIsOwed() throws {
        let bucket = try makeBucket(.perSecond(10), burst: 1_000, unit: .tokens)
        try bucket.admit(call(100), at: at(1)).settle(.success, used(2_000), at: at(1))
        #expect(bucket.available(at: at(1)) == 0)
        // 1,000 tokens of debt beyond the burst take 100 s, and 1 token more 0.1 s.
        #expect(bucket.refusal(at: at(1))?.retryAfter == .milliseconds(100_100))
        #expect(bucket.refusal(at: at(101)) != nil)
        #expect(bucket.refusal(at: at(101.1)) == nil)
    }

    @Test func unitsCountWhatTheyAreCalled() throws {
        let usage = Usage(input: 100, cacheRead: 50, output: 20, reasoning: 5)
        for (unit, left) in [(Unit.tokens, 825), (.inputTokens, 850), (.outputTokens, 975), (.calls, 999)] {
            let bucket = try makeBucket(.perDay(1), burst: 1_000, unit: unit)
            let call = Call(tokens: .estimate(input: 500, maxOutput: 400))
            try bucket.admit(call, at: at(1)).settle(.success, Measurements(usage: usage), at: at(1))
            #expect(bucket.available(at: at(1)) == left, "\(unit)")
            #expect(bucket.state.isMetered == (unit != .calls))
        }
    }

    @Test func whoSaysNothingKeepsTheEstimateUnlessTheTargetNeverBegan() throws {
        let cases: [(Outcome, Int)] = [
            (.success, 100), (.failure(.timeout), 100), (.neutral(.cancelled), 100), (.failure(.connect), 1_000),
            (.neutral(.rateLimited), 1_000), (.failure(.overloaded), 1_000),
        ]
        for (outcome, left) in cases {
            let bucket = try makeBucket(.perDay(1), burst: 1_000, unit: .tokens)
            try bucket.admit(call(900), at: at(1)).settle(outcome, Measurements(), at: at(1))
            #expect(bucket.available(at: at(1)) == left, "\(outcome)")
        }
    }

    @Test func aCallThatIsThoughtToUseNothingPaysForWhatItUsed() throws {
        let bucket = try makeBucket(.perDay(1), burst: 100, unit: .tokens)
        try bucket.admit(call(0), at: at(1)).settle(.success, used(40), at: at(1))
        #expect(bucket.available(at: at(1)) == 60)
        let keyed = try KeyedTokenBucket("keyed", .init(rate: .perDay(1), burst: 100, unit: .tokens, keys: 10))
        try keyed.admit(call(0), at: at(1)).settle(.success, used(40), at: at(1))
        #expect(keyed.refusal("", 61, at: at(1)) != nil)
        #expect(keyed.refusal("", 60, at: at(1)) == nil)
    }

    @Test func overageIsChargedAcrossAnUpdateOfTheRateAndNotOfTheUnit() throws {
        let bucket = try makeBucket(.perDay(1), burst: 1_000, unit: .tokens)
        let first = try bucket.admit(call(100), at: at(1))
        try bucket.update(.init(rate: .perDay(2), burst: 1_000, unit: .tokens), at: at(1))
        first.settle(.success, used(300), at: at(1))
        #expect(bucket.available(at: at(1)) == 700)
        let second = try bucket.admit(call(100), at: at(1))
        try bucket.update(.init(rate: .perDay(2), burst: 1_000, unit: .inputTokens), at: at(1))
        second.settle(.success, used(900), at: at(1))
        // An update rounds what is owed up.
        #expect((599...600).contains(bucket.available(at: at(1))))
    }

    @Test func hugeOverageOverflowsNothing() throws {
        let bucket = try makeBucket(.perDay(1), burst: 1_000, unit: .tokens)
        let keyed = try KeyedTokenBucket("keyed", .init(rate: .perDay(1), burst: 1_000, unit: .tokens, keys: 10))
        for second in 1...20 {
            let now = at(Double(second))
            try bucket.admit(call(0), at: now).settle(.success, used(Usage.most), at: now)
            try keyed.admit(call(0), at: now).settle(.success, used(Usage.most), at: now)
        }
        #expect(bucket.refusal(at: at(1e6))?.reason == .rateLimited)
        #expect(keyed.refusal("", at: at(1e6))?.reason == .rateLimited)
    }

    @Test func keyedBucketsSettleToo() throws {
        let keyed = try KeyedTokenBucket("keyed", .init(rate: .perSecond(1), burst: 100, unit: .tokens, keys: 10))
        let early = Call(tokens: .estimate(input: 80, maxOutput: 0), key: "a")
        try keyed.admit(early, at: at(1)).settle(.success, used(30), at: at(1))
        #expect(keyed.refusal("a", 71, at: at(1)) != nil)
        try keyed.admit(early.with(10), at: at(1)).settle(.success, used(80), at: at(1))
        #expect(keyed.refusal("a", 1, at: at(1))?.retryAfter == .seconds(11))
        // Its place may have passed on: then it comes back with its debt.
        let permit = try keyed.admit(early.with(10, "b"), at: at(1))
        #expect(keyed.activeKeys(at: at(200)) == 0)
        permit.settle(.success, used(60), at: at(200))
        #expect(keyed.refusal("b", 51, at: at(200)) != nil)
    }

    /// Judged by hindsight: what was used counts from when the call was let in, what was used beyond from when that was known,
    /// and no call is let in while the bucket owes more than it holds.
    @Test func realUseNeverPassesTheLimit() throws {
        try forSeeds(500) { seed, random in
            let burst = UInt32(50 + random.next(through: 200)), rate = 1 + random.next(through: 60)
            let bucket = try makeBucket(.perSecond(Double(rate)), burst: burst, unit: .tokens)
            var meter = Hindsight(rate: Int(rate), burst: Int(burst)), now = at(1)
            var held: [(permit: HeldCall, charge: Int)] = []
            for _ in 0..<200 {
                switch random.next(through: 5) {
                case 0, 1: now = now.advanced(by: .milliseconds(Int64(random.next(through: 700))))
                case 2, 3:
                    guard !held.isEmpty else { continue }
                    let (permit, charge) = held.remove(at: Int(random.next(through: UInt64(held.count - 1))))
                    let real = permit.end(&random, at: now)
                    meter.settle(charge, real, at: now)
                default:
                    let estimate = Int(1 + random.next(through: UInt64(burst) - 1))
                    do throws(Rejection) {
                        let permit = HeldCall(try bucket.admit(call(estimate), at: now), estimate)
                        held.append((permit, meter.admit(estimate, at: now)))
                    } catch {}
                }
            }
            #expect(meter.excess == 0, "seed \(seed)")
        }
    }
}

extension Call {
    fileprivate func with(_ tokens: Int, _ key: String? = nil) -> Call {
        Call(tokens: .estimate(input: tokens, maxOutput: 0), key: key ?? self.key)
    }
}

extension KeyedTokenBucket {
    fileprivate func refusal(_ key: String, _ cost: UInt32 = 1, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try admit(key, cost: cost, at: now).settle(.success, at: now)
            return nil
        } catch {
            return error
        }
    }
}
