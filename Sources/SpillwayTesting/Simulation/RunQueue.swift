internal import SpillwayCore

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// The jobs of a simulation that can go on now, of which a seed chooses the next.
final class RunQueue: Sendable {
    /// A job, and the task whose turn it is.
    struct Entry {
        let job: UnownedJob
        let lane: Lane
    }

    private struct Contents: @unchecked Sendable {
        var entries: [Entry] = []
        /// The thread that runs the jobs; nil while none does.
        var runner: pthread_t?
        var escaped = false
        /// Tasks that were started and have not ended, by name.
        var unfinished: [String: Int] = [:]
    }

    private let contents = Locked(Contents())
    private let choice: RandomSource

    init(seed: UInt64) { choice = .seeded(seed) }

    /// Adds a job that became ready.
    ///
    /// One that comes from another thread while jobs run came at a moment that no seed decides.
    func add(_ entry: Entry) {
        contents.withLock { contents in
            if let runner = contents.runner, pthread_equal(runner, pthread_self()) == 0 { contents.escaped = true }
            contents.entries.append(entry)
        }
    }

    /// Takes out the next job; nil when none is ready.
    func next() throws(SimulationError) -> Entry? {
        let (entry, escaped) = contents.withLock { contents -> (Entry?, Bool) in
            if contents.escaped || contents.entries.isEmpty { return (nil, contents.escaped) }
            let last = contents.entries.count - 1
            if last > 0 { contents.entries.swapAt(Int(choice.next(through: UInt64(last))), last) }
            return (contents.entries.removeLast(), false)
        }
        if escaped { throw .escaped }
        return entry
    }

    /// Marks the calling thread as the one that runs the jobs; false when there is one already.
    func begin() -> Bool {
        contents.withLock { contents in
            guard contents.runner == nil else { return false }
            contents.runner = pthread_self()
            return true
        }
    }

    /// Nobody runs the jobs any more.
    func end() { contents.withLock { $0.runner = nil } }

    func started(_ name: String) { contents.withLock { $0.unfinished[name, default: 0] += 1 } }

    func finished(_ name: String) {
        contents.withLock { contents in
            let count = contents.unfinished[name, default: 0] - 1
            contents.unfinished[name] = count > 0 ? count : nil
        }
    }

    /// The names of tasks that were started and have not ended, in order.
    var unfinished: [String] {
        let tasks = contents.withLock { $0.unfinished }.sorted { $0.key < $1.key }
        return tasks.flatMap { Array(repeating: $0.key, count: $0.value) }
    }
}

/// The executor of one task of a simulation and of its child tasks.
///
/// Every task has its own, so that the queue knows whose job it runs.
final class Lane: TaskExecutor {
    private struct Contents {
        var jobs = 0
        var cancel: (@Sendable () -> Void)?
    }

    let name: String
    private let queue: RunQueue
    private let cancelledAt: Int?
    private let contents = Locked(Contents())

    init(_ name: String, _ queue: RunQueue, cancelledAt: Int?) {
        self.name = name
        self.queue = queue
        self.cancelledAt = cancelledAt
    }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.add(RunQueue.Entry(job: UnownedJob(job), lane: self))
    }

    /// What cancels the task, when a script says so.
    func use(cancel: @escaping @Sendable () -> Void) {
        if cancelledAt != nil { contents.withLock { $0.cancel = cancel } }
    }

    /// Runs one job, of which the task has had `number` before.
    func run(_ job: UnownedJob, _ number: Int) {
        if number == cancelledAt { contents.withLock { $0.cancel.take() }?() }
        job.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// Counts a job that is about to run; the first is 0.
    func count() -> Int {
        contents.withLock { contents in
            defer { contents.jobs += 1 }
            return contents.jobs
        }
    }
}
