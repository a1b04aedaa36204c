import Spillway
import Synchronization

/// Finds out soon that a fleet is well again, for no more probes than its breakers would make by themselves.
///
/// Breakers that opened together would probe together, and learn nothing from each other. Here `n` open ones take turns, one
/// every `pause / n`, and when one closes all others probe at once: what failed together often comes back together.
final class Recovery: Observer {
    private struct State {
        var breakers: [CircuitBreaker] = []
        /// Names of open breakers; the next to probe first.
        var open: [String] = []
        var lastProbe = Instant.zero
    }

    private let pause: Int64
    private let state = Mutex(State())

    /// - Parameter pause: Seconds between two probes of one breaker.
    init(pause: Int) { self.pause = Int64(pause) * 1_000_000_000 }

    /// Adds a breaker of which this is the observer.
    func watch(_ breaker: CircuitBreaker) { state.withLock { $0.breakers.append(breaker) } }

    /// Lets the next open breaker probe if it is time.
    func probe(at now: Instant) {
        let next = state.withLock { state -> CircuitBreaker? in
            guard let name = state.open.first,
                now.nanoseconds - state.lastProbe.nanoseconds >= pause / Int64(state.open.count)
            else { return nil }
            state.lastProbe = now
            return state.breakers.first { $0.name == name }
        }
        next?.probe(at: now)
    }

    func changed(_ transition: Transition) {
        let siblings = state.withLock { state -> [CircuitBreaker] in
            state.open.removeAll { $0 == transition.gate }
            switch transition.to {
            case "open":
                if state.open.isEmpty { state.lastProbe = transition.at }
                state.open.append(transition.gate)
                return []
            case "closed": return state.breakers.filter { state.open.contains($0.name) }
            default: return []
            }
        }
        for sibling in siblings { sibling.probe(at: transition.at) }
    }
}
