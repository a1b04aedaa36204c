public import SpillwayCore

/// What all calls of one hedge share.
///
/// In one object, so that what holds on to a hedge counts one reference.
@usableFromInline
final class HedgeCore: Sendable {
    let clock: Hedge.Clock
    let limit: Int
    let budget: any AttemptBudget
    /// ``budget`` as a chain of its own.
    @usableFromInline let chain: BudgetChain
    let spareCapacity: (@Sendable () -> Bool)?
    let losers: Hedge.Losers
    let reaper = Reaper()

    init(
        clock: Hedge.Clock, limit: Int, budget: any AttemptBudget, spareCapacity: (@Sendable () -> Bool)?,
        losers: Hedge.Losers
    ) {
        self.clock = clock
        self.limit = limit
        self.budget = budget
        chain = BudgetChain.none.adding(budget)
        self.spareCapacity = spareCapacity
        self.losers = losers
    }

    /// What a hedge in the running task is drawn from, and whether its calls pay in.
    @usableFromInline
    var entered: (chain: BudgetChain, paysIn: Bool) { BudgetChain.current.entered(by: budget, alone: chain) }

    /// Counts the time of a first attempt that has come to its end.
    ///
    /// One that failed, cancelled or not, says only that the answer would have taken longer.
    func note(since started: Instant, _ time: any TimeSource, succeeded: Bool) {
        guard case .adaptive(let delay) = clock else { return }
        let now = time.now
        delay.histogram.count(now.nanoseconds - started.nanoseconds, cut: !succeeded, at: now)
    }
}
