public import SpillwayCore

/// Where jobs are kept.
///
/// Each call is one transaction: all of it happens and would outlive the process, or nothing does. Several queues, also of
/// several processes, may use one store at once. What happens to a job is decided by ``JobRecord``. Times are nanoseconds
/// since 1970.
///
/// In what order jobs are taken: the most critical first; among them tenants take turns, by start-time fair queueing (Goyal,
/// Vin and Cheng, SIGCOMM 1996): a new job gets the turn after that of its tenant's last job that is ready, and after the turn
/// that was taken last; the lowest turn is next, and among equal ones the oldest job.
///
/// When `now` is more than a minute before a time that the store was told before, the wall clock was set back: then leases
/// and pauses that are under way are shortened by as much (``JobRecord/clockWentBack(by:)``). A store may forget the last ten
/// seconds of what it was told, so as not to write them down each time.
public protocol JobStore: Sendable {
    /// Whether others than this process may change jobs, so that one has to look.
    var isShared: Bool { get }

    /// Adds a job that is ready, unless its tenant has one with its key in the queue already, or the queue is full.
    ///
    /// - Throws: `StoreError`.
    func insert(
        _ record: JobRecord, payload: [UInt8], bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobInsertion

    /// Gives the next job of a queue to a worker.
    ///
    /// - Throws: `StoreError`.
    func take(
        from queue: String, lease: Int64, bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobHandout

    /// Lets `change` happen to a job, if it may; nil: there is no such job.
    ///
    /// A result is stored with it, and what has ended needs its payload no more.
    ///
    /// - Throws: `StoreError`.
    func change(_ id: JobID, _ change: JobChange, at now: Int64) async throws(StoreError) -> JobChanged?

    /// A job as it was changed last; nil: there is no such job.
    ///
    /// - Throws: `StoreError`.
    func find(_ id: JobID) async throws(StoreError) -> StoredJob?

    /// Lets happen what is due in a queue, and counts.
    ///
    /// - Throws: `StoreError`.
    func tidy(_ queue: String, bounds: JobBounds, at now: Int64) async throws(StoreError) -> JobCounts
}

/// How many jobs a queue keeps.
public struct JobBounds: Sendable, Hashable {
    /// The most that wait or run.
    public var open: Int
    /// The most that have ended; the oldest go.
    public var ended: Int

    /// Bounds.
    public init(open: Int, ended: Int) {
        self.open = open
        self.ended = ended
    }
}

/// What came of adding a job.
public enum JobInsertion: Sendable, Hashable {
    /// It is there, with so many before it.
    case inserted(ahead: Int)
    /// Its tenant has this one with its key.
    case existing(StoredJob)
    /// As many jobs wait or run as may.
    case full
}

/// A job, with what belongs to it.
public struct StoredJob: Sendable, Hashable {
    /// The job.
    public var record: JobRecord
    /// What is to be done; nil: it was not asked for, or is gone.
    public var payload: [UInt8]?
    /// What came of it; nil: nothing yet.
    public var result: [UInt8]?
    /// How many jobs are before it, at most 1,000; 0 unless it waits.
    public var ahead: Int

    /// A job.
    public init(_ record: JobRecord, payload: [UInt8]? = nil, result: [UInt8]? = nil, ahead: Int = 0) {
        self.record = record
        self.payload = payload
        self.result = result
        self.ahead = ahead
    }
}

/// What a worker was given.
public struct JobHandout: Sendable, Hashable {
    /// The job with its payload; nil: none is ready.
    public var job: StoredJob?
    /// When something in the queue is due next; nil: nothing is.
    public var due: Int64?

    /// A handout.
    public init(job: StoredJob?, due: Int64?) {
        self.job = job
        self.due = due
    }
}

/// What came of a change.
public struct JobChanged: Sendable, Hashable {
    /// The job as it is now.
    public var record: JobRecord
    /// Whether the change happened.
    public var isApplied: Bool

    /// What came of a change.
    public init(_ record: JobRecord, isApplied: Bool) {
        self.record = record
        self.isApplied = isApplied
    }
}

/// How many jobs a queue has.
public struct JobCounts: Sendable, Hashable {
    /// Jobs that wait, also those that wait until they may be tried again.
    public var waiting: Int
    /// Jobs that workers have.
    public var running: Int
    /// Jobs that have ended, and are still kept.
    public var ended: Int
    /// When something in the queue is due next: nanoseconds since 1970; nil: nothing is.
    public var due: Int64?

    /// Counts.
    public init(waiting: Int, running: Int, ended: Int, due: Int64?) {
        self.waiting = waiting
        self.running = running
        self.ended = ended
        self.due = due
    }
}
