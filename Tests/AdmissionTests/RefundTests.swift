import Admission
import SpillwayCore
import Testing

@Suite struct RefundTests {
    @Test func aVoidedPermitGivesBackWhatHasNotDrippedInSince() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 10)
        let permit = try bucket.admit(cost: 4, at: at(1))
        #expect(bucket.available(at: at(1)) == 6)
        permit.void(at: at(1))
        #expect(bucket.drain(at: at(1)) == 10)
        let late = try makeBucket(.perSecond(1), burst: 10)
        let old = try late.admit(cost: 4, at: at(1))
        #expect(late.drain(at: at(6)) == 10)
        old.void(at: at(6))  // its units have dripped in long ago
        #expect(!late.take(at: at(6)))
    }

    @Test func settlingOrDroppingKeepsItSpent() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 3)
        try bucket.admit(at: at(1)).settle(.failure(.timeout), at: at(1))
        try bucket.admit(at: at(1)).settle(.neutral(.cancelled), at: at(1))
        _ = try bucket.admit(at: at(1))
        #expect(!bucket.take(at: at(1)))
    }

    /// Nine of ten are voided; the tenth is voided when all has dripped in and was spent again.
    @Test func refundsThatWereMadeBeforeAreNotPaidOutAgain() throws {
        let bucket = try makeBucket(.perSecond(1), burst: 10)
        var early: [HeldPermit] = []
        for use in 0..<9 { early.append(HeldPermit(try bucket.admit(at: at(1)), use: use)) }
        let late = try bucket.admit(at: at(1))
        for permit in early { permit.void(at: at(1)) }
        // What is given back out of turn may be some 66 µs of drip short.
        #expect(bucket.take(10, at: at(2.0001)))
        late.void(at: at(2.0001))
        #expect(!bucket.take(at: at(2.0001)))
    }

    /// Who read the time before another call was admitted must not be given what has dripped in since.
    @Test func aRefundAtATimeThatIsLongPastMintsNothing() throws {
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1), burst: 10))
        let first = try bucket.admit(cost: 5, at: at(100))
        try bucket.admit(cost: 1, at: at(110)).settle(.success, at: at(110))
        first.void(at: at(104))
        #expect(bucket.available(at: at(110)) == 9)

        let second = try bucket.admit(cost: 6, at: at(110))
        try bucket.admit(cost: 1, at: at(112)).settle(.success, at: at(112))
        second.void(at: at(110))
        #expect(bucket.available(at: at(112.001)) == 9, "two of six had dripped in, and one was taken later")
    }

    @Test func anUpdateBetweenAdmissionAndRefundMintsNothing() throws {
        for rate in [0.1, 0.5, 2, 10] {
            let spent = try makeBucket(.perSecond(1), burst: 10)
            let first = try spent.admit(cost: 5, at: at(1))
            #expect(spent.drain(at: at(1)) == 5)
            try spent.update(.init(rate: .perSecond(rate), burst: 10), at: at(4))
            #expect(spent.drain(at: at(4)) <= 3)
            first.void(at: at(4))  // 2 of its 5 at most have not dripped in
            #expect(spent.drain(at: at(4)) <= 2, "rate \(rate)")
        }
    }

    @Test func refundsNeverMintUnderRandomUse() throws {
        try forSeeds(1_000) { seed, random in
            let burst = UInt32(1 + random.next(through: 9))
            let rate = Double(1 + random.next(through: 30))
            let bucket = try makeBucket(.perSecond(rate), burst: burst)
            var now = at(1), passage = Passage(), held: [HeldPermit] = []
            for _ in 0..<120 {
                switch random.next(through: 4) {
                case 0: now = now.advanced(by: .milliseconds(Int64(random.next(through: 300))))
                case 1 where !held.isEmpty:
                    let permit = held.remove(at: Int(random.next(through: UInt64(held.count - 1))))
                    passage.uses[permit.use].ran = false
                    permit.void(at: now)
                case 2 where !held.isEmpty:
                    held.remove(at: Int(random.next(through: UInt64(held.count - 1)))).keep(at: now)
                default:
                    let cost = UInt32(1 + random.next(through: UInt64(burst) - 1))
                    do throws(Rejection) {
                        held.append(HeldPermit(try bucket.admit(cost: cost, at: now), use: passage.uses.count))
                        passage.uses.append(.init(at: now, cost: cost))
                    } catch {}
                }
            }
            #expect(passage.excess(over: burst, perSecond: rate) == nil, "seed \(seed)")
        }
    }

    /// As above, with reservations, which may be cancelled while others wait behind them.
    @Test func cancelledReservationsNeverMintUnderRandomUse() throws {
        try forSeeds(1_000) { seed, random in
            let burst = UInt32(1 + random.next(through: 4))
            let rate = Double(1 + random.next(through: 30))
            let bucket = try makeBucket(.perSecond(rate), burst: burst)
            var now = at(1), passage = Passage(), held: [HeldPermit] = []
            for _ in 0..<120 {
                switch random.next(through: 4) {
                case 0: now = now.advanced(by: .milliseconds(Int64(random.next(through: 200))))
                case 1,
                    2 where !held.isEmpty:
                    guard !held.isEmpty else { continue }
                    let permit = held.remove(at: Int(random.next(through: UInt64(held.count - 1))))
                    passage.uses[permit.use].ran = false
                    permit.void(at: now)
                default:
                    let cost = UInt32(1 + random.next(through: UInt64(burst) - 1))
                    let patience = Duration.milliseconds(Int64(random.next(through: 3_000)))
                    do throws(Rejection) {
                        let reservation = try bucket.reserve(cost: cost, within: patience, at: now)
                        #expect(reservation.readyAt <= now.advanced(by: patience), "seed \(seed)")
                        passage.uses.append(.init(at: reservation.readyAt, cost: cost))
                        held.append(HeldPermit(reservation.use(), use: passage.uses.count - 1))
                    } catch {
                        #expect((error.retryAfter ?? .zero) > patience, "seed \(seed)")
                    }
                }
            }
            #expect(passage.excess(over: burst, perSecond: rate) == nil, "seed \(seed)")
        }
    }
}
