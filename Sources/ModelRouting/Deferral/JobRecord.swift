public import SpillwayCore

/// A job as a store keeps it, without its payload and its result.
///
/// All that happens to a job happens here, in ``take(lease:at:)``, ``apply(_:at:)`` and ``pass(to:)``, so that every store
/// does the same: it reads a record, changes it, and writes it, in one transaction.
///
/// Times are nanoseconds since 1970.
public struct JobRecord: Sendable, Hashable {
    /// Where a job stands.
    public enum Phase: UInt8, Sendable, Hashable, CaseIterable {
        /// It may be taken.
        case ready
        /// It failed, and may be taken again later.
        case delayed
        /// A worker has it.
        case running
        /// It succeeded.
        case done
        /// It failed for good.
        case failed
        /// It waited for too long.
        case expired
        /// It was cancelled.
        case cancelled

        /// Whether it stays so.
        public var isEnded: Bool { rawValue >= Phase.done.rawValue }
        /// Whether it waits for a worker.
        public var isWaiting: Bool { rawValue < Phase.running.rawValue }
    }

    /// Its name.
    public let id: JobID
    /// The queue that it is in.
    public let queue: String
    /// Whose it is; empty: nobody's in particular.
    public let tenant: String
    /// What names it for its tenant, within the queue; nil: nothing does.
    public let key: String?
    /// By which a payload is known again when that itself is gone: two hashes.
    public let fingerprint: SIMD2<UInt64>
    /// How much it matters.
    public let criticality: Criticality
    /// When it was submitted.
    public let submitted: Int64
    /// When it will not be begun any more.
    public let expires: Int64
    /// How long it is kept after its end: nanoseconds.
    public let keeps: Int64
    /// How many runs there may be.
    public let mostRuns: Int

    /// Where it stands.
    public var phase = Phase.ready
    /// How often it was taken: only who took it last may end it.
    public var token: Int64 = 0
    /// How many runs have begun and count.
    public var runs = 0
    /// From 0 to 1.
    public var progress = 0.0
    /// When something is to happen to it by itself: it expires, becomes ready, loses its worker, or is deleted.
    public var due: Int64
    /// Why its last run failed; nil: none did.
    public var failure: JobFailure?

    /// A new job.
    public init(
        id: JobID, queue: String, tenant: String, key: String?, fingerprint: SIMD2<UInt64>, criticality: Criticality,
        submitted: Int64, expires: Int64, keeps: Int64, mostRuns: Int
    ) {
        self.id = id
        self.queue = queue
        self.tenant = tenant
        self.key = key
        self.fingerprint = fingerprint
        self.criticality = criticality
        self.submitted = submitted
        self.expires = expires
        self.keeps = keeps
        self.mostRuns = mostRuns
        due = expires
    }
}

/// What happens to a job by somebody's will.
///
/// All but cancelling need the token of whoever took it last: a worker that lost its lease changes nothing any more.
public enum JobChange: Sendable, Hashable {
    /// Its worker goes on for so many nanoseconds more.
    case renew(token: Int64, lease: Int64, progress: Double)
    /// It succeeded.
    case finish(token: Int64, result: [UInt8])
    /// Its run failed; there may be another after so many nanoseconds, unless it was the last; where it does not count, it is
    /// as if it had not been.
    case retry(token: Int64, after: Int64, failure: JobFailure, counts: Bool)
    /// It failed, and would fail again.
    case fail(token: Int64, failure: JobFailure)
    /// Its worker goes away, without having done it; the run does not count.
    case giveBack(token: Int64)
    /// Nobody wants it any more.
    case cancel
}
