/// The budgets of all policies around a piece of work: an extra attempt is drawn from every one, or from none.
///
/// So that one bound holds through any nesting: each budget around an attempt has paid for it. A budget that is there
/// already is not added again, and then neither pays in nor pays twice.
public struct BudgetChain: Sendable {
    private final class Link: Sendable {
        let budget: any AttemptBudget
        let outer: Link?

        init(_ budget: any AttemptBudget, _ outer: Link?) {
            self.budget = budget
            self.outer = outer
        }
    }

    private let inner: Link?

    private init(_ inner: Link?) { self.inner = inner }

    /// No budget: nothing bounds extra attempts.
    public static let none = BudgetChain(nil)

    /// The budgets around the running task.
    public static var current: BudgetChain { CallContext.current?.budgets ?? .none }

    /// Whether there is no budget.
    public var isEmpty: Bool { inner == nil }

    /// What a driver inside of these budgets draws on, and whether its calls pay into its own: not where that is one of
    /// these, because then the call that it is part of has paid in.
    ///
    /// - Parameters:
    ///   - budget: The driver's own.
    ///   - alone: `budget` alone, made once.
    package func entered(
        by budget: any AttemptBudget, alone: BudgetChain
    ) -> (chain: BudgetChain, paysIn: Bool) {
        if isEmpty { return (alone, true) }
        return contains(budget) ? (self, false) : (adding(budget), true)
    }

    /// These budgets, and `budget` inside of them.
    public func adding(_ budget: any AttemptBudget) -> BudgetChain {
        contains(budget) ? self : BudgetChain(Link(budget, inner))
    }

    /// Whether `budget` is one of these.
    public func contains(_ budget: any AttemptBudget) -> Bool {
        var link = inner
        while let next = link {
            if next.budget === budget { return true }
            link = next.outer
        }
        return false
    }

    /// The allowances among these, the innermost first.
    var allowances: [Allowance] {
        var found: [Allowance] = [], link = inner
        while let next = link {
            if let allowance = next.budget as? Allowance { found.append(allowance) }
            link = next.outer
        }
        return found
    }

    /// Takes one extra attempt out of every budget; false, and none is charged, when one has none left.
    public func withdraw(at now: Instant) -> Bool {
        var link = inner
        while let next = link {
            if !next.budget.withdraw(at: now) {
                giveBack(upTo: next)
                return false
            }
            link = next.outer
        }
        return true
    }

    /// Puts one attempt back into every budget, that was taken out and not made.
    public func restore() { giveBack(upTo: nil) }

    private func giveBack(upTo end: Link?) {
        var link = inner
        while let next = link, next !== end {
            next.budget.restore()
            link = next.outer
        }
    }
}
