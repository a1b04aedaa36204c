private import CSpillway
public import SpillwayCore

/// Keeps work for later: it is accepted now, done when load and price allow, and asked for by its name.
///
/// A job is in its store before ``submit(_:key:tenant:criticality:expires:)`` returns, so that it outlives the process, and it
/// is run until it succeeds, fails for good or expires. It may be run more than once, when the process that ran it died or
/// hung; but it has one result: only who took it last may end it, and the result is stored in the same transaction. The
/// operation is given an idempotency key for the provider, so that it too does the work once.
///
/// Several processes may share a queue through a store that several may use.
public final class JobQueue: Sendable {
    /// What is known in this process alone.
    struct Desk {
        var configuration: Configuration
        /// The workers, each to be told of new jobs.
        var workers: [UInt64: Doorbell] = [:]
        /// Who follows which job.
        var watchers: [JobID: [UInt64: Doorbell]] = [:]
        /// What runs here.
        var runs: [JobID: JobRun] = [:]
        var failure: StoreError?
        var lastNumber: UInt64 = 0
    }

    /// What errors and metrics call the queue; processes that give it the same name share it.
    public let name: String
    let store: any JobStore
    let time: any TimeSource
    let random: RandomSource
    let desk: Locked<Desk>
    private let gate: GateName
    private let epoch: Int64?
    private let isSeeded: Bool

    /// A queue.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes, the same in all processes that share the queue.
    ///   - configuration: How jobs are kept and tried; what it says of expiry, runs and keeping counts for the jobs that this
    ///     queue submits.
    ///   - store: Where jobs are kept.
    ///   - time: What waits are measured by; the machine's by default.
    ///   - epoch: The wall clock's nanoseconds since 1970 at `Instant.zero`, for tests; nil: the machine's wall clock.
    ///   - random: Where names of jobs and the spread of pauses come from, for tests; nil: the system, and for names its
    ///     generator for secrets.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), store: any JobStore,
        time: any TimeSource = .system, epoch: Int64? = nil, random: RandomSource? = nil
    ) throws(ConfigurationError) {
        try Validation("JobQueue").name(name)
        try configuration.validate()
        self.name = name
        self.store = store
        self.time = time
        self.epoch = epoch
        self.random = random ?? .system
        isSeeded = random != nil
        desk = Locked(Desk(configuration: configuration))
        gate = GateName(registering: name)
    }

    deinit { gate.release() }

    /// The configuration in force.
    public var configuration: Configuration { desk.withLock { $0.configuration } }

    /// Changes the configuration; jobs that are there keep what was said when they were submitted.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        desk.withLock { $0.configuration = configuration }
    }

    /// What the store failed with when it was used last; nil: it did not fail.
    public var storeFailure: StoreError? { desk.withLock { $0.failure } }

    // MARK: - Jobs

    /// Accepts a job; when it returns, the job is stored.
    ///
    /// Whoever does not know whether it was accepted submits it again with the same key, and gets the same job, also when that
    /// has ended, for as long as it is kept.
    ///
    /// - Parameters:
    ///   - payload: What the operation is given.
    ///   - key: What names the job for its tenant, at most 200 bytes; nil: every call makes a job.
    ///   - tenant: Whose it is, at most 200 bytes; tenants take turns. Empty: nobody's in particular.
    ///   - criticality: What matters more is done before all that matters less; nil: as much as what the running task does,
    ///     else `Criticality.critical`.
    ///   - expires: How long it may wait, from 1 ms to 1 year; nil: as the configuration says.
    /// - Returns: The job as it stands.
    /// - Throws: ``JobError``.
    @discardableResult
    public func submit(
        _ payload: [UInt8], key: String? = nil, tenant: String = "", criticality: Criticality? = nil,
        expires: Duration? = nil
    ) async throws(JobError) -> Job {
        let configuration = configuration
        try Self.check(payload.count, "payload", configuration.mostPayload)
        try Self.check(key?.utf8.count ?? 0, "key", 200)
        try Self.check(tenant.utf8.count, "tenant", 200)
        let now = unix()
        let life = min(max(expires ?? configuration.expires, .milliseconds(1)), .seconds(31_557_600))
        let record = JobRecord(
            id: newID(), queue: name, tenant: tenant, key: key, fingerprint: Self.fingerprint(payload),
            criticality: criticality ?? CallContext.current?.criticality ?? .critical, submitted: now,
            expires: now + life.clampedNanoseconds, keeps: configuration.keeps.clampedNanoseconds,
            mostRuns: configuration.attempts)
        let insertion = try await stored { store throws(StoreError) in
            try await store.insert(record, payload: payload, bounds: configuration.bounds, at: now)
        }
        switch insertion {
        case .inserted(let ahead):
            ringWorkers()
            return record.job(ahead: ahead, result: nil)
        case .existing(let job):
            guard job.record.fingerprint == record.fingerprint else { throw .keyReused(job.record.id) }
            return job.record.job(ahead: job.ahead, result: job.result)
        case .full: throw .rejected(Rejection(by: gate, reason: .queueFull))
        }
    }

    /// A job as it stands now; nil: there is none of this name (any more), or it is somebody else's.
    ///
    /// - Parameters:
    ///   - id: Its name.
    ///   - tenant: Whose it must be; nil: anybody's.
    /// - Throws: ``JobError/store(_:)``.
    public func job(_ id: JobID, tenant: String? = nil) async throws(JobError) -> Job? {
        guard var found = try await stored({ store throws(StoreError) in try await store.find(id) }),
            found.record.queue == name, tenant == nil || found.record.tenant == tenant
        else { return nil }
        // As if somebody had just looked after the queue, which need not be.
        let now = unix()
        if found.record.phase.isWaiting { found.record.pass(to: now) }
        if found.record.isOver(at: now) { return nil }
        return found.record.job(ahead: found.ahead, result: found.result)
    }

    /// Ends a job that nobody wants any more: at once if it waits; a run's task is cancelled, and its result counts no more.
    ///
    /// A run in another process hears of it when it renews its lease.
    ///
    /// - Parameters:
    ///   - id: Its name.
    ///   - tenant: Whose it must be; nil: anybody's.
    /// - Returns: The job as it stands then: cancelled, unless it had ended before; nil: there is none.
    /// - Throws: ``JobError/store(_:)``.
    @discardableResult
    public func cancel(_ id: JobID, tenant: String? = nil) async throws(JobError) -> Job? {
        guard try await job(id, tenant: tenant) != nil else { return nil }
        let now = unix()
        let changed = try await stored { store throws(StoreError) in try await store.change(id, .cancel, at: now) }
        if changed?.isApplied == true {
            desk.withLock { $0.runs[id] }?.stop()
            ringWatchers(id)
        }
        return try await job(id, tenant: tenant)
    }

    /// A job as it stands, and then whenever that changes, to its end.
    ///
    /// Who reads slowly gets the latest state and misses those between. Changes by other processes are seen after
    /// ``Configuration/interval``, as is the place of a job that waits.
    ///
    /// - Parameters:
    ///   - id: Its name.
    ///   - tenant: Whose it must be; nil: anybody's.
    public func changes(of id: JobID, tenant: String? = nil) -> JobChanges { JobChanges(self, id, tenant) }

    /// How many jobs there are.
    ///
    /// - Throws: ``JobError/store(_:)``.
    public func counts() async throws(JobError) -> JobCounts {
        let bounds = configuration.bounds, now = unix(), name = name
        return try await stored { store throws(StoreError) in try await store.tidy(name, bounds: bounds, at: now) }
    }

    // MARK: - Helpers

    /// Nanoseconds since 1970.
    func unix() -> Int64 { epoch.map { time.now.nanoseconds + $0 } ?? spw_wall() }

    /// Asks the store, and notes how that ended.
    func stored<Value>(
        _ ask: (any JobStore) async throws(StoreError) -> Value
    ) async throws(JobError) -> Value {
        do throws(StoreError) {
            let value = try await ask(store)
            note(nil)
            return value
        } catch {
            note(error)
            throw .store(error)
        }
    }

    func note(_ failure: StoreError?) { desk.withLock { $0.failure = failure } }

    func ringWorkers() {
        for bell in desk.withLock({ Array($0.workers.values) }) { bell.ring() }
    }

    func ringWatchers(_ id: JobID) {
        for bell in desk.withLock({ $0.watchers[id].map { Array($0.values) } ?? [] }) { bell.ring() }
    }

    private func newID() -> JobID {
        guard isSeeded else { return .random() }
        var random = random
        return JobID(using: &random)
    }

    private static func check(_ bytes: Int, _ field: String, _ most: Int) throws(JobError) {
        if bytes > most { throw .tooLarge(field, bytes: bytes, most: most) }
    }

    /// Two hashes of 64 bits, against chance and not against somebody who wants to fool himself.
    private static func fingerprint(_ payload: [UInt8]) -> SIMD2<UInt64> {
        payload.withUnsafeBytes { bytes in
            SIMD2(
                spw_hash_bytes(bytes.baseAddress, bytes.count, 0),
                spw_hash_bytes(bytes.baseAddress, bytes.count, 0x9e37_79b9_7f4a_7c15))
        }
    }
}
