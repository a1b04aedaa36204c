public import SpillwayCore

/// Why a simulated replica gave no answer.
public enum SimulatedFailure: OutcomeError, Sendable, Hashable, CustomStringConvertible {
    /// Nobody listens: the replica is down, or there is none with that number.
    case connectionRefused
    /// The replica crashed while it worked on the request.
    case connectionLost
    /// The answer was not there in the time that the caller allowed.
    case timeout
    /// The replica answered with an error (HTTP 500).
    case serverError
    /// The caller's quota is used up (HTTP 429).
    case rateLimited(retryAfter: Duration?)
    /// The replica's queue is full (HTTP 503).
    case overloaded
    /// The request does not fit the GPU memory that is left, and the replica answered with an error (HTTP 500).
    case outOfMemory
    /// Prompt and output exceed the model's context.
    case contextTooLong
    /// The request makes no sense, or would not fit even an empty replica.
    case invalidRequest
    /// The caller went away.
    case cancelled

    init(_ refusal: EngineModel.Refusal) {
        self =
            switch refusal {
            case .queueFull: .overloaded
            case .contextTooLong: .contextTooLong
            case .tooLarge, .malformed: .invalidRequest
            case .outOfMemory: .outOfMemory
            }
    }

    /// What the failure says about the replica, as a client of a real one would classify it.
    public var outcome: Outcome {
        switch self {
        case .connectionRefused: .of(.connect)
        case .connectionLost: .of(.transport)
        case .timeout: .of(.timeout)
        case .serverError, .outOfMemory: .of(.serverError)
        case .rateLimited(let hint): .of(.rateLimited, retryAfter: hint)
        case .overloaded: .of(.overloaded)
        case .contextTooLong: .of(.contextTooLong)
        case .invalidRequest: .of(.invalidRequest)
        case .cancelled: .of(.cancelled)
        }
    }

    /// A few words.
    public var description: String {
        switch self {
        case .connectionRefused: "connection refused"
        case .connectionLost: "connection lost"
        case .timeout: "no answer in time"
        case .serverError: "server error"
        case .rateLimited(let hint): "rate limited" + (hint.map { ", retry after \($0)" } ?? "")
        case .overloaded: "queue full"
        case .outOfMemory: "out of GPU memory"
        case .contextTooLong: "prompt and output exceed the context"
        case .invalidRequest: "invalid request"
        case .cancelled: "cancelled"
        }
    }
}
