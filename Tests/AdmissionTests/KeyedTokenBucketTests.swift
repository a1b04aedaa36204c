import Admission
import SpillwayCore
import Testing

@Suite struct KeyedTokenBucketTests {
    private func makeBuckets(
        _ rate: Rate, burst: UInt32, unit: Unit = .calls, keys: Int = 1_000
    ) throws -> KeyedTokenBucket {
        try KeyedTokenBucket("tenants", .init(rate: rate, burst: burst, unit: unit, keys: keys))
    }

    @Test func keysAreIndependent() throws {
        let buckets = try makeBuckets(.perSecond(3), burst: 4)
        for key in UInt64(0)..<500 { #expect(buckets.drain(key, at: at(1)) == 4, "key \(key)") }
        let refusal = try #require(buckets.refusal(7, at: at(1)))
        #expect(refusal.reason == .rateLimited)
        #expect(refusal.gate.description == "tenants")
        let wait = try #require(refusal.retryAfter)
        #expect(!buckets.take(7, at: at(1).advanced(by: wait - .nanoseconds(1))))
        #expect(buckets.take(7, at: at(1).advanced(by: wait)))
        #expect(buckets.activeKeys(at: at(1)) == 500)
        #expect(buckets.activeKeys(at: at(9)) == 0)
    }

    @Test func callsAreChargedToTheirKeyInTheirUnit() throws {
        let buckets = try makeBuckets(.perSecond(1), burst: 10, unit: .inputTokens)
        let call = Call(tokens: .estimate(input: 6, maxOutput: 900), key: "acme")
        try buckets.admit(call, at: at(1)).settle(.success, at: at(1))
        #expect(throws: Rejection.self) { try buckets.admit(call, at: at(1)).settle(.success, at: at(1)) }
        try buckets.admit("acme", cost: 4, at: at(1)).settle(.success, at: at(1))
        #expect(throws: Rejection.self) { try buckets.admit("acme", at: at(1)).settle(.success, at: at(1)) }
        var other = call
        other.key = nil
        try buckets.admit(other, at: at(1)).settle(.success, at: at(1))
        #expect(throws: Rejection.self) { try buckets.admit("", cost: 5, at: at(1)).settle(.success, at: at(1)) }
        try buckets.admit("acme", cost: 0, at: at(1)).settle(.success, at: at(1))
        #expect(buckets.refusal(3, 11, at: at(1))?.reason == .exceedsBurst)
    }

    @Test func anEmptyKeyAndALongOneAreKeysLikeOthers() throws {
        let buckets = try makeBuckets(.perSecond(1), burst: 1)
        for key in ["", "a", "b", "é", String(repeating: "x", count: 10_000), "𝄞"] {
            try buckets.admit(key, at: at(1)).settle(.success, at: at(1))
            #expect(throws: Rejection.self, "\(key.prefix(5))") {
                try buckets.admit(key, at: at(1)).settle(.success, at: at(1))
            }
        }
    }

    /// 100,000 keys, 100 of them in use at a time.
    @Test func idleKeysMakeRoomForNewOnes() throws {
        let buckets = try makeBuckets(.perSecond(10), burst: 5)
        let memory = buckets.memory
        #expect(memory == 2_048 * 16)
        for key in UInt64(0)..<100_000 {
            #expect(buckets.take(key, at: at(1 + Double(key) / 1_000)), "key \(key)")
        }
        #expect(buckets.memory == memory)
        #expect(buckets.activeKeys(at: at(101)) <= 101)
    }

    /// 100,000 keys, all in use.
    @Test func aFullTableRefusesAndForgetsNobody() throws {
        let buckets = try makeBuckets(.perDay(2), burst: 2)
        var known: [UInt64] = [], refusals: Set<Rejection> = []
        for key in UInt64(0)..<100_000 {
            if let refusal = buckets.refusal(key, at: at(1)) {
                refusals.insert(refusal)
            } else {
                known.append(key)
            }
        }
        #expect(refusals.map(\.reason) == [.tooManyKeys])
        #expect(refusals.first?.retryAfter == nil)
        #expect(known.count >= 1_000 && known.count <= 2_048)
        #expect(buckets.activeKeys(at: at(1)) == known.count)
        #expect(known.filter { buckets.drain($0, at: at(1)) != 1 } == [])
        #expect((UInt64(0)..<100_000).first { buckets.take($0, at: at(1)) } == nil, "a key exceeded its limit")
        #expect(buckets.take(UInt64(1) << 40, at: at(2 * 86_400)))  // all are idle again
    }

    @Test func aVoidedPermitGivesBackToItsKey() throws {
        let buckets = try makeBuckets(.perSecond(1), burst: 4)
        let permit = try buckets.admit(UInt64(1), cost: 3, at: at(1))
        #expect(buckets.drain(2, at: at(1)) == 4)
        permit.void(at: at(1))
        #expect(buckets.drain(1, at: at(1)) == 4)
        #expect(!buckets.take(2, at: at(1)))
        let late = try buckets.admit(UInt64(3), cost: 3, at: at(1))
        #expect(buckets.drain(3, at: at(5)) == 4)
        late.void(at: at(5))
        #expect(!buckets.take(3, at: at(5)))
    }

    @Test func refundsNeverMintUnderRandomUse() throws {
        try forSeeds(300) { seed, random in
            let burst = UInt32(1 + random.next(through: 5)), rate = Double(1 + random.next(through: 20))
            let buckets = try makeBuckets(.perSecond(rate), burst: burst, keys: 1)
            var now = at(1), passages = [Passage](repeating: Passage(), count: 90), held: [(UInt64, HeldPermit)] = []
            for _ in 0..<600 {
                let key = random.next(through: 89)
                switch random.next(through: 3) {
                case 0: now = now.advanced(by: .milliseconds(Int64(random.next(through: 50))))
                case 1 where !held.isEmpty:
                    let (key, permit) = held.remove(at: Int(random.next(through: UInt64(held.count - 1))))
                    passages[Int(key)].uses[permit.use].ran = false
                    permit.void(at: now)
                default:
                    let cost = UInt32(1 + random.next(through: UInt64(burst) - 1))
                    do throws(Rejection) {
                        let permit = try buckets.admit(key, cost: cost, at: now)
                        held.append((key, HeldPermit(permit, use: passages[Int(key)].uses.count)))
                        passages[Int(key)].uses.append(.init(at: now, cost: cost))
                    } catch {}
                }
            }
            for (key, passage) in passages.enumerated() {
                #expect(passage.excess(over: burst, perSecond: rate) == nil, "seed \(seed), key \(key)")
            }
        }
    }

    @Test func aPermitMayOutliveItsBuckets() throws {
        var buckets: KeyedTokenBucket? = try makeBuckets(.perSecond(1), burst: 1)
        let permit = try buckets!.admit(UInt64(1), at: at(1))
        let dropped = try buckets!.admit(UInt64(2), at: at(1))
        buckets = nil
        permit.void(at: at(1))
        _ = consume dropped
    }

    /// A refused initialiser once handed the same table out twice.
    @Test func bucketsMadeAfterRefusedOnesShareNothing() throws {
        for _ in 0..<50 {
            let bad = KeyedTokenBucket.Configuration(rate: .perSecond(0), burst: 1)
            #expect(throws: ConfigurationError.self) { _ = try KeyedTokenBucket("k", bad) }
        }
        let good = KeyedTokenBucket.Configuration(rate: .perDay(1), burst: 1, keys: 100)
        let all = try (0..<50).map { try KeyedTokenBucket("k-\($0)", good) }
        for buckets in all { #expect(buckets.take(7, at: at(1))) }
        for buckets in all { #expect(!buckets.take(7, at: at(1))) }
    }

    @Test func refusesWhatCannotWork() throws {
        let bad: [(field: String, configuration: KeyedTokenBucket.Configuration)] = [
            ("keys", .init(rate: .perSecond(1), burst: 1, keys: 0)),
            ("keys", .init(rate: .perSecond(1), burst: 1, keys: -5)),
            ("keys", .init(rate: .perSecond(1), burst: 1, keys: .max)),
            ("burst", .init(rate: .perSecond(1), burst: 0, keys: 10)),
            ("rate.units", .init(rate: .perSecond(.nan), burst: 1, keys: 10)),
            ("rate", .init(rate: .perSecond(2e9), burst: 1, keys: 10)),
        ]
        let good = try makeBuckets(.perSecond(5), burst: 5, keys: 10)
        for (field, configuration) in bad {
            let error = #expect(throws: ConfigurationError.self) { _ = try KeyedTokenBucket("k", configuration) }
            #expect(error?.field == field, "\(configuration)")
            #expect(error?.policy == "KeyedTokenBucket")
            #expect(throws: ConfigurationError.self) { try good.update(configuration) }
        }
        let resized = #expect(throws: ConfigurationError.self) {
            try good.update(.init(rate: .perSecond(5), burst: 5, keys: 11))
        }
        #expect(resized?.field == "keys")
        #expect(good.drain(1, at: at(1)) == 5)
    }
}
