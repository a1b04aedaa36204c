/// Which bound on time a call met.
public enum TimeLimit: Sendable, Hashable {
    /// The deadline of the whole call: the caller's patience, which says nothing about the target.
    case deadline
    /// The time of one attempt.
    case attempt
    /// The time to the first content of a stream.
    case firstContent
    /// The time between two pieces of content of a stream.
    case stall
    /// The least tokens a second of a stream.
    case tokenRate

    /// The limit as a code, for errors, reports and metrics.
    public var reason: Reason {
        switch self {
        case .deadline: .deadlineExceeded
        case .attempt: .attemptTimeout
        case .firstContent: .firstContentTimeout
        case .stall: .stalled
        case .tokenRate: .tooSlow
        }
    }

    /// What an attempt that met the limit says about its target.
    public var outcome: Outcome { self == .deadline ? .neutral(.timeout) : .failure(.timeout) }
}
