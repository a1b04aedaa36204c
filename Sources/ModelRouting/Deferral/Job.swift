public import SpillwayCore

/// A job as it is at a moment.
public struct Job: Sendable, Hashable, Identifiable {
    /// Its name, which nobody can guess.
    public let id: JobID
    /// Whose it is; empty: nobody's in particular.
    public let tenant: String
    /// The key by which the tenant would find it again; nil: none was given.
    public let key: String?
    /// How much it matters.
    public let criticality: Criticality
    /// When it was submitted: nanoseconds since 1970.
    public let submitted: Int64
    /// When it will not be begun any more: nanoseconds since 1970.
    public let expires: Int64
    /// How many runs have begun and count.
    public let runs: Int
    /// Where it stands.
    public let state: JobState
}

/// Where a job stands.
public enum JobState: Sendable, Hashable, CustomStringConvertible {
    /// It waits for a worker: so many jobs are before it, at most 1,000, which says that there may be more.
    ///
    /// A job that has failed and will be tried again waits too.
    case queued(ahead: Int)
    /// A worker has it; progress is from 0 to 1, as the operation says.
    case running(progress: Double)
    /// It succeeded, with this result.
    case done([UInt8])
    /// It failed for good.
    case failed(JobFailure)
    /// It waited for too long.
    case expired
    /// It was cancelled.
    case cancelled

    /// Whether it stays as it is.
    public var isEnded: Bool {
        switch self {
        case .queued, .running: false
        case .done, .failed, .expired, .cancelled: true
        }
    }

    /// The state as a label, such as `queued`, without what it holds.
    public var description: String {
        switch self {
        case .queued: "queued"
        case .running: "running"
        case .done: "done"
        case .failed: "failed"
        case .expired: "expired"
        case .cancelled: "cancelled"
        }
    }
}

/// Why a run of a job failed.
public struct JobFailure: Sendable, Hashable, CustomStringConvertible {
    /// The most bytes of a message that are kept.
    static let longestMessage = 500

    /// What went wrong.
    public let cause: Outcome.Cause
    /// What the error said, cut after 500 bytes; whoever may see the job sees it.
    public let message: String

    /// A failure.
    public init(_ cause: Outcome.Cause, _ message: String) {
        self.cause = cause
        guard message.utf8.count > Self.longestMessage else {
            self.message = message
            return
        }
        var end = message.utf8.index(message.startIndex, offsetBy: Self.longestMessage)
        // Not within a character.
        while end.samePosition(in: message) == nil { end = message.utf8.index(before: end) }
        self.message = String(message[..<end])
    }

    /// The cause and the message.
    public var description: String { message.isEmpty ? "\(cause)" : "\(cause): \(message)" }
}
