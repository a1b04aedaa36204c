internal import CSpillway
internal import SpillwayCore

/// What permits of a budget point to.
final class BudgetState: GateState, @unchecked Sendable {
    private let words: UnsafeMutablePointer<spw_budget>
    private var name = GateName(registering: "")

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_budget())
        super.init()
    }

    func begin(_ label: String, _ configuration: RetryBudget.Configuration) {
        name = GateName(registering: label)
        update(configuration)
        spw_budget_fill(words)
    }

    func end() {
        name.release()
        endLife()
    }

    func update(_ configuration: RetryBudget.Configuration) {
        let one = Double(SPW_BUDGET_ONE)
        // A step of 2²⁷ ns leaves 1 − step ⁄ window, near enough to exp(−step ⁄ window), of what is above the burst.
        let step = Double(UInt64(1) << UInt64(SPW_BUDGET_STEP_SHIFT))
        let keep = max(0, 1 - step / Double(configuration.window.clampedNanoseconds))
        spw_budget_configure(
            words, UInt32(configuration.ratio * one), UInt32(keep * Double(UInt32.max)),
            UInt64(configuration.minimumPerSecond * step / 1e9 * one * 65_536),
            UInt64(configuration.burst) * UInt64(one))
    }

    func deposit(at now: Instant) { spw_budget_deposit(words, now.nanoseconds) }
    func withdraw(at now: Instant) -> Bool { spw_budget_withdraw(words, now.nanoseconds) }
    func restore() { spw_budget_restore(words) }
    func balance(at now: Instant) -> Double {
        Double(spw_budget_balance(words, now.nanoseconds)) / Double(SPW_BUDGET_ONE)
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        guard withdraw(at: now) else { throw Rejection(name, .budgetExhausted, retryAfter: -1) }
        return Permit(
            RawPermit(state: .passUnretained(self), token: 0, admitted: now, cost: 1, life: life))
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        if outcome == nil, permit.life == life { restore() }
    }
}

/// The state of a budget without bound.
final class UnlimitedState: GateState, @unchecked Sendable {
    static let shared = UnlimitedState()

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit { .free(at: now) }
}
