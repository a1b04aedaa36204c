/// Drives an ``Engine`` in simulated time and hands each request its chunks.
actor EngineDriver {
    private var engine: Engine
    private let clock: SimulatedClock
    private var outlets: [Int: AsyncStream<Engine.Chunk>.Continuation] = [:]
    private var alarm: (due: Double, task: Task<Void, Never>)?

    /// Drives a new engine by `clock`.
    init(_ settings: Engine.Settings, clock: SimulatedClock) {
        engine = Engine(settings)
        self.clock = clock
    }

    /// The engine's gauges and counters now.
    var load: Engine.Load {
        advance()
        return engine.load
    }

    /// Submits a job, returning `nil` when the queue is full.
    ///
    /// The stream ends after the last chunk, or early when the request is cancelled.
    func submit(_ job: Engine.Job) -> (id: Int, chunks: AsyncStream<Engine.Chunk>)? {
        advance()
        guard let id = engine.submit(job) else { return nil }
        let (chunks, outlet) = AsyncStream.makeStream(of: Engine.Chunk.self)
        outlets[id] = outlet
        arm()
        return (id, chunks)
    }

    /// Drops a request and frees what it held.
    func cancel(_ id: Int) {
        advance()
        engine.cancel(id)
        outlets.removeValue(forKey: id)?.finish()
        arm()
    }

    private func advance() {
        for chunk in engine.advance(to: clock.now) {
            outlets[chunk.id]?.yield(chunk)
            if chunk.isLast {
                outlets.removeValue(forKey: chunk.id)?.finish()
            }
        }
    }

    /// Makes sure that an alarm rings no later than the next chunk is due.
    private func arm() {
        guard let due = engine.nextDue else { return }
        if let alarm {
            // An early alarm only rearms; a new task for every change would cost more.
            if alarm.due <= due { return }
            alarm.task.cancel()
        }
        let task = Task {
            guard (try? await clock.sleep(until: due)) != nil else { return }
            ring()
        }
        alarm = (due, task)
    }

    private func ring() {
        guard !Task.isCancelled else { return }
        alarm = nil
        advance()
        arm()
    }
}
