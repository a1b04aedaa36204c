public import SpillwayCore

/// Concurrent code under virtual time, in an order that depends on a seed alone.
///
/// Tasks of a simulation run unchanged, one job at a time, on the thread that calls ``run(_:)``. Whenever several can go
/// on, the seed chooses; when none can, time moves to the first sleeper. So the same seed gives the same run, and its trace
/// is the same byte for byte, while a few thousand seeds try a few thousand schedules. What the tasks do must come from the
/// simulation: its ``time``, its ``random``, child tasks, and ``start(_:cancelledAtAwait:_:)`` in place of `Task { }`.
///
/// The idea is that of FoundationDB's simulation (Zhou et al., *FoundationDB*, SIGMOD 2021).
public final class Simulation: Sendable {
    /// What decides the order.
    public let seed: UInt64
    /// The time, which moves when nothing else can; it begins at one second.
    ///
    /// To make the clock jump, advance it, also by a negative duration.
    public let time = ManualTime()
    /// Numbers for whatever else is left to chance: jitter, faults.
    ///
    /// Copies share one sequence.
    public let random: RandomSource

    /// How much of a trace is kept, so that one which goes round and round does not fill the memory.
    private static let lines = 100_000

    private let queue: RunQueue
    private let limit: Int
    private let traced: Bool
    private let lines = Locked<[String]>([])

    /// A simulation.
    ///
    /// - Parameters:
    ///   - seed: What decides the order.
    ///   - traced: Whether to keep a ``trace``; not by default.
    ///   - limit: The most jobs that one ``run(_:)`` may take, at least 1; a million by default.
    public init(seed: UInt64, traced: Bool = false, limit: Int = 1_000_000) {
        self.seed = seed
        self.limit = max(1, limit)
        // The two sequences start far apart in the generator's period.
        random = .seeded(seed ^ 0x5851_f42d_4c95_7f2d)
        queue = RunQueue(seed: seed)
        self.traced = traced
    }

    /// Runs `body`, and whatever it starts, to the end.
    ///
    /// Blocks the calling thread, for as long as there is something to compute; never to wait for time.
    ///
    /// - Throws: What `body` throws, or `SimulationError`.
    public func run<Success: Sendable>(_ body: @escaping @Sendable () async throws -> Success) throws -> Success {
        guard queue.begin() else { throw SimulationError.running }
        defer { queue.end() }
        let result = Locked<Result<Success, any Error>?>(nil)
        start("main") {
            let ended: Result<Success, any Error>
            do { ended = .success(try await body()) } catch { ended = .failure(error) }
            result.withLock { $0 = ended }
        }
        try drain()
        return try result.withLock { $0 }!.get()
    }

    /// Starts a task that belongs to the simulation.
    ///
    /// - Parameters:
    ///   - name: What the trace and errors call it; `task` by default.
    ///   - cancelledAtAwait: Cancels the task just before it goes on for this time, 0 being its start; never by default.
    ///     Together with its child tasks it goes on once after every `await` that really waits.
    ///   - body: What to do.
    @discardableResult
    public func start<Success: Sendable>(
        _ name: String = "task", cancelledAtAwait: Int? = nil, _ body: @escaping @Sendable () async throws -> Success
    ) -> Task<Success, any Error> {
        let lane = Lane(name, queue, cancelledAt: cancelledAtAwait)
        queue.started(name)
        let task = Task(executorPreference: lane) { [queue] in
            defer { queue.finished(name) }
            return try await body()
        }
        lane.use(cancel: { task.cancel() })
        return task
    }

    /// Adds a line to the trace, if there is one.
    public func note(_ text: @autoclosure () -> String) {
        guard traced else { return }
        let line = "\(time.now) \(text())"
        lines.withLock { lines in
            if lines.count == 2 * Self.lines { lines.removeFirst(Self.lines) }
            lines.append(line)
        }
    }

    /// What happened so far, a line a step: the last 100,000 at least; empty when it is not traced.
    public var trace: [String] { lines.withLock { $0 } }

    private func drain() throws(SimulationError) {
        var jobs = 0
        while true {
            if let entry = try queue.next() {
                jobs += 1
                if jobs > limit { throw .endless(jobs: limit, task: entry.lane.name) }
                let number = entry.lane.count()
                note("\(entry.lane.name) #\(number)")
                entry.lane.run(entry.job, number)
            } else if let wake = time.nextWake {
                time.advance(by: time.now.duration(to: wake))
            } else {
                let unfinished = queue.unfinished
                if unfinished.isEmpty { return }
                throw .stuck(tasks: unfinished)
            }
        }
    }
}
