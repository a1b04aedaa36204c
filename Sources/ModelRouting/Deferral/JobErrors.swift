public import SpillwayCore

/// Why a queue did not do what it was asked for.
public enum JobError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The queue is full (`Reason.queueFull`).
    case rejected(Rejection)
    /// The tenant has used the key for another payload, in this job.
    case keyReused(JobID)
    /// A field is larger than it may be.
    case tooLarge(_ field: String, bytes: Int, most: Int)
    /// There is no such job, or it is somebody else's.
    case notFound
    /// The store failed; nobody knows whether it did before or after.
    case store(StoreError)

    /// One line.
    public var description: String {
        switch self {
        case .rejected(let rejection): "\(rejection)"
        case .keyReused(let id): "the key was used for another payload, in job \(id)"
        case .tooLarge(let field, let bytes, let most): "\(field) has \(bytes) bytes, but may have \(most)"
        case .notFound: "there is no such job"
        case .store(let error): "\(error)"
        }
    }
}

extension JobError: OutcomeError {
    /// What it says of the queue: that one is full, or a request wrong, speaks against nobody.
    public var outcome: Outcome {
        switch self {
        case .rejected(let rejection): .neutral(.rejected, retryAfter: rejection.retryAfter)
        case .keyReused, .tooLarge, .notFound: .neutral(.invalidRequest)
        case .store: .failure(.transport)
        }
    }
}

extension StoreError {
    /// Whether it will not mend by itself.
    var isFinal: Bool { kind == .closed || kind == .corrupt }
}
