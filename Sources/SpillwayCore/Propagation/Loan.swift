internal import Synchronization

/// Extra attempts that were taken out of an ``Allowance`` for a service further in, while it works on a request.
///
/// Whatever is not given back with ``settle(spentHeader:)`` counts as spent.
public final class Loan: Sendable {
    /// How many attempts were lent.
    public let attempts: Int
    private let lenders: [Allowance]
    private let isOpen = Atomic<Bool>(true)

    init(_ attempts: Int, from lenders: [Allowance]) {
        self.attempts = attempts
        self.lenders = lenders
    }

    /// Puts back what the service did not spend, as its answer says in the header `x-spillway-spent`.
    ///
    /// Without that header, or with one that makes no sense, all counts as spent. Only the first call does anything.
    public func settle(spentHeader: String?) {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing), let spent = HeaderNumber.read(spentHeader)
        else { return }
        let back = attempts - min(attempts, spent)
        for lender in lenders { lender.putBack(back) }
    }

    /// Puts everything back, when the request was surely never sent.
    public func cancel() { settle(spentHeader: "0") }
}

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
