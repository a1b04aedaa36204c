/// Which bound on time a call met.
public struct TimeLimit: Sendable, Hashable, CustomStringConvertible {
    private enum Kind { case deadline, attempt, firstContent, stall, tokenRate, handOver }

    private let kind: Kind

    /// The deadline of the whole call: the caller's patience, which says nothing about the target.
    public static var deadline: TimeLimit { TimeLimit(kind: .deadline) }
    /// The time of one attempt.
    public static var attempt: TimeLimit { TimeLimit(kind: .attempt) }
    /// The time to the first content of a stream.
    public static var firstContent: TimeLimit { TimeLimit(kind: .firstContent) }
    /// The time between two pieces of content of a stream.
    public static var stall: TimeLimit { TimeLimit(kind: .stall) }
    /// The least tokens a second of a stream.
    public static var tokenRate: TimeLimit { TimeLimit(kind: .tokenRate) }
    /// The time for which a replica that is drained, or dead, keeps an attempt: it goes on elsewhere.
    public static var handOver: TimeLimit { TimeLimit(kind: .handOver) }

    /// The limit as a code, for errors, reports and metrics.
    public var reason: Reason {
        switch kind {
        case .deadline: .deadlineExceeded
        case .attempt: .attemptTimeout
        case .firstContent: .firstContentTimeout
        case .stall: .stalled
        case .tokenRate: .tooSlow
        case .handOver: .handedOver
        }
    }

    /// What an attempt that met the limit says about its target.
    public var outcome: Outcome {
        switch kind {
        case .deadline: .neutral(.timeout)
        case .handOver: .neutral(.transport)
        default: .failure(.timeout)
        }
    }

    /// The code, such as `first_content_timeout`.
    public var description: String { reason.description }
}
