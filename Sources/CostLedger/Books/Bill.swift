public import SpillwayCore

/// What one operation costs: all its attempts, also those that were retried, lost a race or failed.
///
/// Give it to a call as its payer: `Call(payer: account.bill())`.
public final class Bill: Payer {
    private struct State {
        var attempts: UInt32 = 0
        var voided: UInt32 = 0
        var spent = Money.zero
    }

    /// Who pays.
    public let account: Account
    /// The number of the operation in the ledger's postings.
    public let number: UInt64
    private let state = Locked(State())

    init(_ account: Account, _ number: UInt64) {
        self.account = account
        self.number = number
    }

    /// What attempts that have ended cost together.
    public var spent: Money { state.withLock { $0.spent } }
    /// How many attempts were begun.
    public var attempts: Int { state.withLock { Int($0.attempts) } }

    /// Whether an attempt has begun that was not voided: others are extra.
    var hasBegun: Bool { state.withLock { $0.attempts > $0.voided } }

    /// The number of an attempt that begins.
    func begin() -> UInt32 {
        state.withLock { state in
            state.attempts += 1
            return state.attempts
        }
    }

    /// An attempt has ended; nil: it never ran.
    func end(cost: Money?) {
        state.withLock { state in
            if let cost { state.spent += cost } else { state.voided += 1 }
        }
    }
}
