extension BudgetChain {
    /// The allowance of the call, the innermost if there are several; nil: nothing bounds the attempts of all services.
    public var allowance: Allowance? {
        allowances.first
    }

    /// Takes extra attempts out of the call's allowance, to let a service further in make them.
    ///
    /// While they are lent nobody else can make them: lend fewer to keep some for hedges beside this request.
    ///
    /// - Parameters:
    ///   - limit: The most to lend; no limit by default.
    ///   - share: The largest share of what is left to lend, from 0 to 1, rounded down; 1, all of it, by default.
    /// - Returns: Nil when there is no allowance.
    public func lend(atMost limit: Int = .max, share: Double = 1) -> Loan? {
        let lenders = allowances
        guard !lenders.isEmpty else { return nil }
        var count = max(0, limit), taken: [Int] = []
        for lender in lenders {
            count = lender.take(atMost: count, share: share)
            taken.append(count)
        }
        // No more than every one of them has.
        for (lender, taken) in zip(lenders, taken) { lender.putBack(taken - count) }
        return Loan(count, from: lenders)
    }
}
