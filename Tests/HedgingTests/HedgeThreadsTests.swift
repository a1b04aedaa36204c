import Hedging
import SpillwayCore
import SpillwayTesting
import Testing

/// Many calls on all threads at once, where the order is nobody's choice.
@Suite struct HedgeThreadsTests {
    private final class Count: Sendable {
        private let value = Locked(0)
        var total: Int { value.withLock { $0 } }
        func add(_ number: Int) { value.withLock { $0 += number } }
    }

    @Test(arguments: [Hedge.Losers.awaited, .reaped(grace: .zero)])
    func everyCallEndsOnceAndNothingIsLeft(losers: Hedge.Losers) async throws {
        let purse = Purse()
        let hedge = try Hedge(after: .fixed(.zero), upTo: 3, budget: purse, losers: losers)
        let attempts = Count(), running = Count()
        let wins = await withTaskGroup(of: Int.self) { group in
            for call in 0..<2_000 {
                group.addTask {
                    let result = try? await hedge.run(twice, deadline: nil) { attempt in
                        attempts.add(1)
                        running.add(1)
                        defer { running.add(-1) }
                        for _ in 0..<(call % 5 + (attempt.hedge + 1) % 3) { await Task.yield() }
                        if (call + attempt.hedge + 1) % 3 == 0 { throw Trouble(attempt: attempt.hedge + 1) }
                        return attempt.hedge + 1
                    }
                    if case .awaited = losers { return result ?? 0 > 0 ? 1 : 0 }
                    return 1
                }
            }
            return await group.reduce(0, +)
        }
        // Two of three first attempts succeed, and a hedge can only add to that.
        #expect(wins >= 1_300)
        #expect(attempts.total - 2_000 == purse.spent)
        #expect(purse.books.deposits == 2_000)
        while hedge.leftRunning > 0 { await Task.yield() }
        if case .awaited = losers { #expect(running.total == 0) }
    }
}
