import Hedging
import SpillwayCore
import Testing

/// The decision core without tasks: what happened and the time go in, the next step comes out.
@Suite struct HedgeDecisionTests {
    @Test func theStepsOfAHedgedCall() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), upTo: 2, budget: Purse(), losers: .reaped(grace: .seconds(1)))
        var call = hedge.begin(twice, at: at(10))
        #expect(hedge.decide(&call, at: at(10)) == .wait(until: at(13)))
        #expect(hedge.decide(&call, at: at(13)) == .start)
        #expect(hedge.decide(&call, at: at(13)) == .wait(until: at(16)))
        call.ended = 1  // a failure
        #expect(hedge.decide(&call, at: at(14)) == .wait(until: at(16)))
        #expect(hedge.decide(&call, at: at(16.5)) == .start)
        #expect(hedge.decide(&call, at: at(17)) == .wait(until: nil))
        (call.ended, call.won) = (2, true)
        #expect(hedge.decide(&call, at: at(18)) == .cancelPending)
        #expect(hedge.decide(&call, at: at(18)) == .wait(until: at(19)))
        #expect(hedge.decide(&call, at: at(19)) == .finish)
        #expect(call.pending == 1)
    }

    @Test func aWinnerWithoutLosersIsTheEnd() throws {
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: Purse())
        var call = hedge.begin(twice, at: at(10))
        (call.ended, call.won) = (1, true)
        #expect(hedge.decide(&call, at: at(60)) == .finish)
    }

    @Test func aCancelledCallStartsNothing() throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.seconds(3)), budget: purse)
        var call = hedge.begin(twice, at: at(10))
        call.cancelled = true
        #expect(hedge.decide(&call, at: at(13)) == .cancelPending)
        #expect(hedge.decide(&call, at: at(99)) == .wait(until: nil))
        #expect(purse.books == .init())
    }

    @Test func whoPassesItsAnswerOnIsWaitedForAndNotCancelled() throws {
        let hedge = try Hedge(
            after: .fixed(.seconds(3)), upTo: 3, budget: Purse(), losers: .reaped(grace: .seconds(2)))
        var call = hedge.begin(twice, at: at(10))
        #expect(hedge.decide(&call, at: at(13)) == .start)
        (call.won, call.committed) = (true, true)
        #expect(hedge.decide(&call, at: at(14)) == .cancelLosers)
        call.ended = 1
        #expect(hedge.decide(&call, at: at(99)) == .wait(until: nil))
        call.cancelled = true
        #expect(hedge.decide(&call, at: at(100)) == .cancelPending)
    }

    @Test func aThrottledCallIsNotAskedForAgain() throws {
        let purse = Purse(0)
        let hedge = try Hedge(after: .fixed(.seconds(3)), upTo: 3, budget: purse)
        var call = hedge.begin(twice, at: at(10))
        #expect(hedge.decide(&call, at: at(13)) == .wait(until: nil))
        #expect(hedge.decide(&call, at: at(20)) == .wait(until: nil))
        #expect(purse.books == .init(refused: 1))
    }

    @Test func whateverHappensItStartsNoMoreThanAllowedAndEnds() throws {
        for seed in 1...2_000 as ClosedRange<UInt64> {
            let random = RandomSource.seeded(seed)
            let purse = Purse(Int(random.next(through: 3))), limit = 1 + Int(random.next(through: 2))
            let hedge = try Hedge(
                after: .fixed(.seconds(Double(random.next(through: 2)))), upTo: limit, budget: purse,
                losers: random.next(through: 1) == 0 ? .awaited : .reaped(grace: .seconds(2)))
            var call = hedge.begin(twice, at: at(0)), now = 0.0, starts = 0, over = false
            for _ in 0..<100 where !over {
                switch hedge.decide(&call, at: at(now)) {
                case .start:
                    #expect(!call.won && !call.cancelled && call.pending > 1)
                    if random.next(through: 4) == 0 { hedge.giveBack(&call) } else { starts += 1 }
                case .wait(let until):
                    #expect(call.pending > 0)
                    // Something happens, or time goes on, now and then backwards.
                    switch random.next(through: 6) {
                    case 0: (call.ended, call.committed) = (call.ended + 1, call.committed && call.pending > 1)
                    case 1: (call.ended, call.won, call.committed) = (call.ended + 1, true, false)
                    case 4: if !call.won { (call.won, call.committed) = (true, true) }
                    case 2: call.cancelled = true
                    case 3: now -= 1
                    default: now = until.map { Double($0.nanoseconds) / 1e9 } ?? now + 1
                    }
                case .cancelLosers: #expect(call.committed && call.pending > 1)
                case .cancelPending: #expect(call.won || call.cancelled)
                case .finish: over = true
                }
            }
            #expect(over && starts <= limit && starts == purse.spent, "seed \(seed)")
        }
    }
}
