import SpillwayCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct AttemptClockTests {
    private func clock(
        _ whole: Double? = nil, content: Double? = nil, stall: Double? = nil, rate: Double? = nil,
        patience: Double = 10,
        deadline: Double? = nil, streams: Bool = true
    ) throws -> AttemptClock {
        var limits: AttemptTimeout?
        if whole != nil || content != nil || stall != nil || rate != nil {
            limits = try AttemptTimeout(
                whole.map { .seconds($0) }, firstContent: content.map { .seconds($0) },
                stall: stall.map { .seconds($0) }, tokensPerSecond: rate, patience: .seconds(patience))
        }
        return AttemptClock(limits, deadline: deadline.map { at($0) }, streams: streams, at: at(0))
    }

    @Test("each limit is met at its time and not before")
    func limits() throws {
        var whole = try clock(3), content = try clock(content: 2), late = try clock(deadline: 1)
        #expect(whole.exceeded(at: at(2.999)) == nil && whole.exceeded(at: at(3)) == .attempt && whole.due == at(3))
        #expect(content.exceeded(at: at(1.999)) == nil && content.exceeded(at: at(2)) == .firstContent)
        #expect(late.exceeded(at: at(0.999)) == nil && late.exceeded(at: at(1)) == .deadline)
        var all = try clock(1, content: 1, stall: 1, rate: 1, deadline: 1)
        #expect(all.exceeded(at: at(1)) == .deadline)
        var none = try clock()
        #expect(none.due == nil && none.exceeded(at: .distantFuture) == nil)
        var plain = try clock(content: 1, stall: 1, rate: 1, streams: false)
        plain.received(1, at: at(0))
        #expect(plain.due == nil)
    }

    @Test("content resets the stall and nothing else does")
    func stall() throws {
        var clock = try clock(content: 8, stall: 2)
        #expect(clock.due == at(8))
        clock.received(1, at: at(7))
        #expect(clock.firstContent == at(7) && clock.due == at(9))
        clock.received(1, at: at(8))
        #expect(clock.firstContent == at(7) && clock.exceeded(at: at(9.9)) == nil)
        #expect(clock.exceeded(at: at(10)) == .stall)
    }

    @Test("a dribble is cut, and a fast start does not excuse it")
    func dribble() throws {
        // One token a minute never stalls for long enough, but pays for a tenth of a second each.
        var dribble = try clock(stall: 61, rate: 10, patience: 90)
        dribble.received(1, at: at(0))
        dribble.received(1, at: at(60))
        #expect(dribble.due == at(90.1) && dribble.exceeded(at: at(90.1)) == .tokenRate)
        var fast = try clock(rate: 10, patience: 5)
        fast.received(1_000_000, at: at(0))
        #expect(fast.due == at(5))
        for step in 1...1_000 {
            // Exactly fast enough, for ever.
            fast.received(10, at: at(Double(step)))
            #expect(fast.exceeded(at: at(Double(step) + 0.9)) == nil)
        }
        #expect(fast.exceeded(at: at(1_005)) == .tokenRate)
    }

    @Test("counts of tokens that make no sense do no harm", arguments: [Int.min, -1, 0, Int.max])
    func absurd(tokens: Int) throws {
        var clock = try clock(stall: 5, rate: 1e-6, patience: 2)
        clock.received(tokens, at: at(1))
        clock.received(tokens, at: at(2))
        #expect(clock.due == (tokens > 0 ? at(4) : at(3)))
        #expect(clock.exceeded(at: at(4)) == .tokenRate)
    }

    @Test("time stands still while the attempt waits for its caller, but the deadline does not")
    func pauses() throws {
        var clock = try clock(10, stall: 2, deadline: 60)
        clock.received(1, at: at(1))
        clock.pause(at: at(2))
        #expect(clock.due == at(60) && clock.exceeded(at: at(19)) == nil)
        // What comes meanwhile counts from the end of the wait.
        clock.received(1, at: at(20))
        clock.resume(at: at(32))
        #expect(clock.due == at(34))
        clock.received(1, at: at(33))
        #expect(clock.due == at(35))
        clock.received(1, at: at(39))
        #expect(clock.due == at(40) && clock.exceeded(at: at(40)) == .attempt)
        clock.pause(at: at(40))
        #expect(clock.exceeded(at: at(60)) == .deadline)
    }

    @Test("waits inside of one another count once, and an end without a beginning counts for nothing")
    func nestedPauses() throws {
        var clock = try clock(10)
        clock.resume(at: at(1))
        clock.pause(at: at(2))
        clock.pause(at: at(3))
        clock.resume(at: at(4))
        #expect(clock.due == nil)
        clock.resume(at: at(5))
        #expect(clock.due == at(13))
        clock.resume(at: at(9))
        #expect(clock.due == at(13))
    }

    @Test("a clock that goes back stands still")
    func backwards() throws {
        var clock = try clock(stall: 5)
        clock.received(1, at: at(10))
        clock.received(1, at: at(3))
        #expect(clock.due == at(15))
        clock.pause(at: at(2))
        clock.resume(at: at(1))
        #expect(clock.due == at(15) && clock.exceeded(at: at(1)) == nil)
    }

    @Test("random lives: nothing is met before it is due, and what is due is met; with times from end to end")
    func properties() throws {
        try forSeeds(2_000) { seed, random in
            let extremes: [Int64] = [.min, -1, 0, 1, .max - 1, .max]
            let wild = seed % 4 == 0
            func instant(_ before: Int64) -> Instant {
                if wild, random.next(through: 3) == 0 {
                    return Instant(nanoseconds: extremes[Int(random.next(through: 5))])
                }
                let step = Int64(random.next(through: 3_000_000_000)) - 300_000_000
                return Instant(nanoseconds: before.addingReportingOverflow(step).partialValue)
            }
            let limits = try AttemptTimeout(
                .seconds(20), firstContent: .seconds(3), stall: .seconds(2), tokensPerSecond: 5, patience: .seconds(4))
            var now = Instant(nanoseconds: 0), latest = now, pauses = 0
            var clock = AttemptClock(limits, deadline: at(30), streams: true, at: now)
            for _ in 0..<40 {
                now = instant(now.nanoseconds)
                latest = max(latest, now)
                switch random.next(through: 3) {
                case 0: clock.received(Int(truncatingIfNeeded: random.next()) >> random.next(through: 63), at: now)
                case 1:
                    clock.pause(at: now)
                    pauses += 1
                case 2 where pauses > 0:
                    clock.resume(at: now)
                    pauses -= 1
                default: break
                }
                let due = clock.due
                #expect((clock.exceeded(at: now) != nil) == (due.map { latest >= $0 } ?? false), "seed \(seed)")
                #expect(due.map { $0 <= at(30) } ?? true, "seed \(seed)")
            }
        }
    }
}
