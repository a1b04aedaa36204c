internal import SpillwayCore

/// A job as it stands, and then whenever that changes, to its end.
///
/// Reading throws ``JobError/notFound`` when there is no such job at first, ends when it is deleted, and throws
/// `CancellationError` when the task is cancelled, and ``JobError/store(_:)`` when the store fails.
public struct JobChanges: AsyncSequence, Sendable {
    private let queue: JobQueue
    private let id: JobID
    private let tenant: String?

    init(_ queue: JobQueue, _ id: JobID, _ tenant: String?) {
        self.queue = queue
        self.id = id
        self.tenant = tenant
    }

    /// Begins to follow the job.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue, id, tenant) }

    /// Follows a job.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// Is told of changes for as long as somebody has it.
        private final class Watch: Sendable {
            let queue: JobQueue
            let id: JobID
            let bell = Doorbell()
            private let number: UInt64

            init(_ queue: JobQueue, _ id: JobID) {
                (self.queue, self.id) = (queue, id)
                let bell = bell
                number = queue.desk.withLock { desk in
                    desk.lastNumber += 1
                    desk.watchers[id, default: [:]][desk.lastNumber] = bell
                    return desk.lastNumber
                }
            }

            deinit {
                queue.desk.withLock { desk in
                    desk.watchers[id]?[number] = nil
                    if desk.watchers[id]?.isEmpty == true { desk.watchers[id] = nil }
                }
            }
        }

        private let watch: Watch
        private let tenant: String?
        private var last: Job?
        private var isOver = false

        init(_ queue: JobQueue, _ id: JobID, _ tenant: String?) {
            watch = Watch(queue, id)
            self.tenant = tenant
        }

        /// The job as it stands at first, then after its next change; nil: it has ended, and was told.
        public mutating func next() async throws -> Job? {
            let queue = watch.queue
            while !isOver {
                try Task.checkCancellation()
                guard let job = try await queue.job(watch.id, tenant: tenant) else {
                    if last == nil { throw JobError.notFound }
                    isOver = true
                    return nil
                }
                if job != last {
                    last = job
                    isOver = job.state.isEnded
                    return job
                }
                await watch.bell.wait(until: queue.time.now.advanced(by: queue.configuration.interval), queue.time)
            }
            return nil
        }
    }
}
