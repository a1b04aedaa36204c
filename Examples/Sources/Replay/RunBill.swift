import CostLedger

/// What a run would have cost at a provider that charges for every token that its replicas worked on.
struct RunBill: Sendable, Equatable {
    /// What each replica's work costs, in order.
    let replicas: [Money]
    /// The part that is in answers which users got whole.
    let useful: Money
    /// Users who had a good answer whose first token came within the target.
    let withinSLO: Int

    /// All attempts together: exactly the sum over the replicas.
    let total: Money
    /// What is in no answer that a user got whole: failures, retries, losers of hedges, streams that broke off.
    var wasted: Money { total - useful }

    /// The bill of a run; nil when it is not known what its replicas worked on.
    ///
    /// Nor is there one when users got more tokens than that: they came out of a cache, or from a fleet that was not asked.
    init?(of run: RunResult, prices: TokenPrices) {
        guard let work = run.work, work.total.covers(work.answers) else { return nil }
        replicas = work.replicas.map(prices.cost)
        total = replicas.reduce(.zero, +)
        // Each replica is rounded by itself: their sum can be a nano-dollar or two less than the same tokens together.
        useful = min(prices.cost(of: work.answers), total)
        withinSLO = run.total.withinSLO
    }

    /// The total over the users who got a good answer within the target; nil when there was none.
    ///
    /// So an answer pays for its own attempts, and for those of everyone who got nothing or got it too late.
    var perAnswer: Money? { withinSLO > 0 ? total.times(1, over: Int64(withinSLO)) : nil }

    /// Tenths of a percent by which an answer is cheaper than in `other`, rounded down; below 0: it is dearer.
    ///
    /// Nil when either bill has no such answer, or those of `other` cost nothing.
    func tenthsCheaper(than other: RunBill) -> Int? {
        guard withinSLO > 0, other.withinSLO > 0, other.total > .zero else { return nil }
        // total / withinSLO against the same of the other, without the rounding of either.
        let mine = Int128(total.nanodollars) * Int128(other.withinSLO)
        let theirs = Int128(other.total.nanodollars) * Int128(withinSLO)
        let (tenths, rest) = ((theirs - mine) * 1000).quotientAndRemainder(dividingBy: theirs)
        return Int(clamping: rest < 0 ? tenths - 1 : tenths)
    }

    /// The share of the total that was wasted, in tenths of a percent, rounded to the nearest; nil of nothing.
    var tenthsWasted: Int? {
        guard total > .zero else { return nil }
        return Int((Int128(wasted.nanodollars) * 1000 + Int128(total.nanodollars) / 2) / Int128(total.nanodollars))
    }
}
