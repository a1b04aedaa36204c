internal import SpillwayCore

/// Which changes of state a gate may make.
public struct TransitionRules: Sendable, Hashable {
    /// The state in which the gate begins.
    public let start: String
    /// The states that may follow each state.
    public let next: [String: Set<String>]

    /// Rules for a gate of your own.
    public init(start: String, next: [String: Set<String>]) {
        self.start = start
        self.next = next
    }

    /// A circuit breaker that is left to itself: closed, open, half-open, and back.
    public static let breaker = TransitionRules(
        start: "closed", next: ["closed": ["open"], "open": ["half_open"], "half_open": ["open", "closed"]])

    /// A circuit breaker that is also closed, isolated and disabled by hand.
    ///
    /// Only a call can half-open it, and only a failure can open it, so neither follows a state that was set by hand.
    public static let breakerByHand = TransitionRules(
        start: "closed",
        next: [
            "closed": ["open", "isolated", "disabled"],
            "open": ["half_open", "closed", "isolated", "disabled"],
            "half_open": ["open", "closed", "isolated", "disabled"],
            "isolated": ["closed", "disabled"],
            "disabled": ["closed", "isolated"],
        ])

    /// What is wrong with `transitions` of one gate, in the order in which they were reported.
    func violations(in transitions: [Transition], timeMayGoBack: Bool) -> [Violation] {
        var state = start
        var time: Instant?
        var found: [Violation] = []
        for transition in transitions {
            func fault(_ detail: String) {
                found.append(Violation(.transitions, "\(transition) at \(transition.at)\(detail)"))
            }
            if transition.from != state { fault(", but the gate was \(state)") }
            if next[transition.from]?.contains(transition.to) != true { fault(" is no legal change") }
            if let time, transition.at < time, !timeMayGoBack { fault(", after a change at \(time)") }
            state = transition.to
            time = transition.at
        }
        return found
    }
}
