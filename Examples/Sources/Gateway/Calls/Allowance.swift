import Spillway
import Synchronization

/// Attempts that one call may still take beyond its first, wherever they are made.
final class Allowance: AttemptBudget {
    private struct State {
        var left: Int
        var spentElsewhere = 0
    }

    private let state: Mutex<State>

    /// So many attempts.
    init(_ attempts: Int) {
        state = Mutex(State(left: attempts))
    }

    /// Attempts that upstreams have made beyond those that they were asked for.
    var spentElsewhere: Int { state.withLock { $0.spentElsewhere } }

    /// Pays nothing in: there is one call.
    func deposit(at now: Instant) {}

    /// Takes one attempt; false when there is none left.
    func withdraw(at now: Instant) -> Bool {
        state.withLock { state in
            guard state.left > 0 else { return false }
            state.left -= 1
            return true
        }
    }

    /// Puts one back.
    func restore() {
        state.withLock { $0.left += 1 }
    }

    /// Takes half of what is left for an upstream to spend, so that something remains for attempts here meanwhile.
    func lend() -> Int {
        state.withLock { state in
            let lent = state.left / 2
            state.left -= lent
            return lent
        }
    }

    /// Takes back what an upstream has not spent of what it was lent.
    func takeBack(_ lent: Int, spent: Int) {
        state.withLock { state in
            state.left = max(0, state.left + lent - spent)
            state.spentElsewhere += spent
        }
    }
}
