public import SpillwayCore

/// A run of a job, as its operation sees it.
public final class JobRun: Sendable {
    /// The job's name.
    public let id: JobID
    /// Whose the job is; empty: nobody's in particular.
    public let tenant: String
    /// What is to be done.
    public let payload: [UInt8]
    /// How much it matters.
    public let criticality: Criticality
    /// The number of the run, 1 for the first.
    public let number: Int
    /// Why the last run failed; nil: there was none, or its worker went away.
    public let lastFailure: JobFailure?
    /// What to give the provider, where it takes such a key, so that it does the work of all runs once: the job's name.
    public var idempotencyKey: String { id.description }

    let token: Int64
    let bell = Doorbell()
    private let state = Locked((progress: 0.0, isStopped: false))

    init(_ job: StoredJob) {
        id = job.record.id
        tenant = job.record.tenant
        payload = job.payload ?? []
        criticality = job.record.criticality
        number = job.record.runs
        lastFailure = job.record.failure
        token = job.record.token
    }

    /// Says how far it is, from 0 to 1; what is no such number is brought there.
    ///
    /// It is stored a quarter of a second later at the latest, and four times a second at most.
    public func progress(_ share: Double) {
        state.withLock { $0.progress = share.isNaN ? 0 : min(max(share, 0), 1) }
        bell.ring()
    }

    var progress: Double { state.withLock { $0.progress } }

    /// The job is not this run's any more.
    func stop() {
        state.withLock { $0.isStopped = true }
        bell.ring()
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }
}
