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
    /// Without that header, or with one that is no whole number from 0 on, all counts as spent. Only the first call does
    /// anything.
    public func settle(spentHeader: String?) {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing), let spent = HeaderNumber.read(spentHeader),
            spent >= 0
        else { return }
        let back = attempts - min(attempts, spent)
        for lender in lenders { lender.putBack(back) }
    }

    /// Puts everything back, when the request was surely never sent.
    public func cancel() { settle(spentHeader: "0") }
}
