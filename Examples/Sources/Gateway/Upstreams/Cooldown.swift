import Spillway
import Synchronization

/// A gate that leaves an upstream alone after it has answered 429.
///
/// It keeps the time that the answer names, else one of its own, which doubles as long as no call succeeds in between.
/// A breaker would be wrong here: the upstream is not sick, the quota is used up.
final class Cooldown: Gate {
    /// How long the upstream is left alone when it does not say.
    struct Times: Sendable {
        let first: Duration
        let most: Duration
    }

    private struct State {
        var until = Instant(nanoseconds: .min)
        var next: Duration
    }

    let name: String
    private let label: GateName
    private let times: Times
    private let state: Mutex<State>

    /// A gate that lets all calls pass until one has met a limit.
    init(_ name: String, _ times: Times) {
        self.name = name
        self.times = times
        label = GateName(registering: name)
        state = Mutex(State(next: times.first))
    }

    /// Lets the call pass, or says how long the upstream still wants to be left alone.
    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let until = state.withLock { $0.until }
        guard now >= until else {
            throw Rejection(by: label, reason: .rateLimited, retryAfter: now.duration(to: until))
        }
        return Permit(at: now) { [self] outcome, end in
            if let outcome { settle(outcome, admitted: now, at: end) }
        }
    }

    private func settle(_ outcome: Outcome, admitted: Instant, at now: Instant) {
        state.withLock { state in
            // Calls that were under way when another one met the limit tell nothing new.
            guard admitted >= state.until else { return }
            if outcome.verdict == .success {
                state.next = times.first
            } else if outcome.cause == .rateLimited || outcome.cause == .quotaExhausted {
                state.until = now.advanced(by: outcome.retryAfter ?? state.next)
                state.next = min(state.next * 2, times.most)
            }
        }
    }
}
