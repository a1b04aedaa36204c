import ModelRouting
import SpillwayCore
import SpillwayTesting
import Synchronization

let noon = Instant(nanoseconds: 1_000_000_000_000)

func after(_ seconds: Double) -> Instant { noon.advanced(by: .seconds(seconds)) }

/// A budget of so many extra attempts.
final class Purse: AttemptBudget {
    private let left: Mutex<Int>

    init(_ left: Int) { self.left = Mutex(left) }

    var rest: Int { left.withLock { $0 } }
    func deposit(at now: Instant) {}
    func withdraw(at now: Instant) -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
    func restore() { left.withLock { $0 += 1 } }
}

/// A gate that refuses for a reason as long as it is told to, and counts what is out.
final class Door: Gate {
    let name: String
    private let label: GateName
    private let state = Mutex<(reason: Reason?, retryAfter: Duration?, out: Int)>((nil, nil, 0))

    init(_ name: String, _ reason: Reason? = nil) {
        self.name = name
        label = GateName(registering: name)
        state.withLock { $0.reason = reason }
    }

    var out: Int { state.withLock { $0.out } }

    func refuse(_ reason: Reason?, retryAfter: Duration? = nil) {
        state.withLock { ($0.reason, $0.retryAfter) = (reason, retryAfter) }
    }

    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let (reason, hint) = state.withLock { state in
            if state.reason == nil { state.out += 1 }
            return (state.reason, state.retryAfter)
        }
        if let reason { throw Rejection(by: label, reason: reason, retryAfter: hint) }
        return Permit(at: now) { [self] _, _ in state.withLock { $0.out -= 1 } }
    }
}

/// What an attempt fails with.
struct Failing: OutcomeError, Equatable {
    let outcome: Outcome

    init(_ cause: Outcome.Cause, retryAfter: Duration? = nil) { outcome = .of(cause, retryAfter: retryAfter) }
}

/// Where attempts went: `tier/target`.
final class Trail: Sendable {
    private let places = Mutex<[String]>([])

    var all: [String] { places.withLock { $0 } }
    func add(_ attempt: Attempt) {
        places.withLock { $0.append("\(attempt.mode?.tier ?? "-")/\(attempt.target ?? "-")") }
    }
    func clear() { places.withLock { $0 = [] } }
}

let idempotent = Call(tokens: .estimate(input: 1_000, maxOutput: 500), idempotency: .idempotent)
