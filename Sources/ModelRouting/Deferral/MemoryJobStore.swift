public import SpillwayCore

/// Keeps jobs in memory, for tests and for services that may lose them: nothing outlives the process.
///
/// What is next is found by looking through all jobs, so that it is for thousands of them and not for millions.
public final class MemoryJobStore: JobStore {
    private let book = Locked(JobBook())
    /// Whether several queues use it at once, so that each has to look what the others did.
    public let isShared: Bool

    /// An empty store.
    ///
    /// - Parameter isShared: Whether several `JobQueue`s of one name use it, as several processes use a file; not by default.
    public init(isShared: Bool = false) { self.isShared = isShared }

    /// Adds a job.
    public func insert(
        _ record: JobRecord, payload: [UInt8], bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobInsertion {
        book.withLock { $0.insert(record, payload, bounds, at: now) }
    }

    /// Gives the next job of a queue to a worker.
    public func take(
        from queue: String, lease: Int64, bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobHandout {
        book.withLock { $0.take(queue, lease, bounds, at: now) }
    }

    /// Lets `change` happen to a job, if it may.
    public func change(_ id: JobID, _ change: JobChange, at now: Int64) async throws(StoreError) -> JobChanged? {
        book.withLock { $0.change(id, change, at: now) }
    }

    /// A job as it was changed last.
    public func find(_ id: JobID) async throws(StoreError) -> StoredJob? { book.withLock { $0.find(id) } }

    /// Lets happen what is due in a queue, and counts.
    public func tidy(_ queue: String, bounds: JobBounds, at now: Int64) async throws(StoreError) -> JobCounts {
        book.withLock { $0.tidy(queue, bounds, at: now) }
    }
}

/// What a ``JobStore`` does, in the plainest way.
private struct JobBook {
    private struct Entry {
        var job: StoredJob
        /// Counts all jobs that were ever added.
        let number: Int
        let turn: Int

        var place: (Int, Int, Int) { (-Int(job.record.criticality.rawValue), turn, number) }
    }
    private struct Line: Hashable {
        let queue: String
        let criticality: Criticality
    }

    private var entries: [JobID: Entry] = [:]
    private var count = 0
    /// The turn that was taken last.
    private var turns: [Line: Int] = [:]
    /// The latest time of each queue.
    private var latest: [String: Int64] = [:]

    mutating func insert(
        _ record: JobRecord, _ payload: [UInt8], _ bounds: JobBounds, at now: Int64
    ) -> JobInsertion {
        let counts = tidy(record.queue, bounds, at: now)
        if let key = record.key {
            let same = entries.values.first {
                $0.job.record.queue == record.queue && $0.job.record.tenant == record.tenant
                    && $0.job.record.key == key
            }
            if let same, let found = find(same.job.record.id) { return .existing(found) }
        }
        guard counts.waiting + counts.running < bounds.open else { return .full }
        let line = Line(queue: record.queue, criticality: record.criticality)
        let ready = entries.values.filter {
            let other = $0.job.record
            return other.phase == .ready && other.queue == record.queue && other.tenant == record.tenant
                && other.criticality == record.criticality
        }
        count += 1
        let turn = max(turns[line] ?? 0, ready.map(\.turn).max() ?? 0) + 1
        entries[record.id] = Entry(job: StoredJob(record, payload: payload), number: count, turn: turn)
        return .inserted(ahead: ahead(of: record.id))
    }

    mutating func take(_ queue: String, _ lease: Int64, _ bounds: JobBounds, at now: Int64) -> JobHandout {
        let due = tidy(queue, bounds, at: now).due
        let ready = entries.values.filter { $0.job.record.queue == queue && $0.job.record.phase == .ready }
        guard let next = ready.min(by: { $0.place < $1.place }) else { return JobHandout(job: nil, due: due) }
        let line = Line(queue: queue, criticality: next.job.record.criticality), id = next.job.record.id
        turns[line] = max(turns[line] ?? 0, next.turn)
        entries[id]?.job.record.take(lease: lease, at: now)
        return JobHandout(job: entries[id]?.job, due: self.due(queue))
    }

    mutating func change(_ id: JobID, _ change: JobChange, at now: Int64) -> JobChanged? {
        guard var job = entries[id]?.job else { return nil }
        let isApplied = job.record.apply(change, at: now)
        if isApplied, case .finish(_, let result) = change { job.result = result }
        if job.record.phase.isEnded { job.payload = nil }
        entries[id]?.job = job
        return JobChanged(job.record, isApplied: isApplied)
    }

    func find(_ id: JobID) -> StoredJob? {
        guard var job = entries[id]?.job else { return nil }
        job.payload = nil
        job.ahead = job.record.phase.isWaiting ? ahead(of: id) : 0
        return job
    }

    mutating func tidy(_ queue: String, _ bounds: JobBounds, at now: Int64) -> JobCounts {
        let back = (latest[queue] ?? now) - now
        if back > 60_000_000_000 {
            for (id, entry) in entries where entry.job.record.queue == queue {
                _ = entries[id]?.job.record.clockWentBack(by: back)
            }
            latest[queue] = now
        }
        latest[queue] = max(latest[queue] ?? now, now)
        for (id, entry) in entries where entry.job.record.queue == queue {
            entries[id]?.job.record.pass(to: now)
            guard let record = entries[id]?.job.record, record.phase.isEnded else { continue }
            if record.isOver(at: now) { entries[id] = nil } else { entries[id]?.job.payload = nil }
        }
        let all = entries.values.filter { $0.job.record.queue == queue }
        let ended = all.filter { $0.job.record.phase.isEnded }
            .sorted { ($0.job.record.due, $0.number) < ($1.job.record.due, $1.number) }
        for entry in ended.dropLast(bounds.ended) { entries[entry.job.record.id] = nil }
        return JobCounts(
            waiting: all.count { $0.job.record.phase.isWaiting },
            running: all.count { $0.job.record.phase == .running },
            ended: min(ended.count, bounds.ended), due: due(queue))
    }

    private func due(_ queue: String) -> Int64? {
        entries.values.lazy.filter { $0.job.record.queue == queue }.map(\.job.record.due).min()
    }

    private func ahead(of id: JobID) -> Int {
        guard let entry = entries[id] else { return 0 }
        let before = entries.values.count {
            $0.job.record.queue == entry.job.record.queue && $0.job.record.phase == .ready && $0.place < entry.place
        }
        return min(before, 1_000)
    }
}
