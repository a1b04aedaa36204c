public import SpillwayCore

/// Drives one ``EngineModel`` by a source of time and hands each request its progress.
///
/// It owns no thread and never polls: while the engine works, one task sleeps until the engine's next instant. When that
/// comes to be earlier, another task takes over, and the first does nothing when it wakes.
public final class EngineDriver: Sendable {
    private typealias Outlet = AsyncStream<EngineModel.Progress>.Continuation

    private struct Contents {
        var engine: EngineModel
        var outlets: [Int: Outlet] = [:]
        /// When the alarm that counts rings, and its number; nil while none is set.
        var alarm: (due: Instant, number: Int)?
        var lastAlarm = 0
    }

    private let time: any TimeSource
    private let start: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private let contents: Locked<Contents>

    /// Drives a new, idle engine.
    ///
    /// - Parameters:
    ///   - configuration: What the engine is and how fast.
    ///   - time: Where the present comes from, and where the driver sleeps.
    ///   - start: Starts a task that sleeps on `time`: `{ body in Task { await body() } }` in a service.
    public init(
        _ configuration: EngineModel.Configuration, time: any TimeSource,
        start: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.time = time
        self.start = start
        contents = Locked(Contents(engine: EngineModel(configuration, at: time.now)))
    }

    deinit {
        // In order: who waits for a stream goes on.
        for (_, outlet) in contents.withLock({ $0.outlets }).sorted(by: { $0.key < $1.key }) { outlet.finish() }
    }

    /// The engine's gauges and counters now.
    public var load: EngineModel.Load {
        update { contents, _ in contents.engine.load }
    }

    /// Takes a request in.
    ///
    /// The stream ends after the last progress; without one, the request was cancelled or lost. Whoever stops reading early
    /// (its task is cancelled, or the stream is dropped) cancels the request.
    ///
    /// - Parameters:
    ///   - request: Prompt and length of the answer.
    ///   - adjust: Changes the engine for the request with this id before it can go on; nothing by default.
    /// - Throws: `EngineModel.Refusal`; nothing was taken in then.
    public func submit(
        _ request: EngineModel.Request, adjust: (inout EngineModel, Int) -> Void = { _, _ in }
    ) throws(EngineModel.Refusal) -> (id: Int, progress: AsyncStream<EngineModel.Progress>) {
        let (stream, outlet) = AsyncStream.makeStream(of: EngineModel.Progress.self)
        let taken = update { contents, now -> Result<Int, EngineModel.Refusal> in
            do throws(EngineModel.Refusal) {
                let id = try contents.engine.submit(request, at: now)
                contents.outlets[id] = outlet
                adjust(&contents.engine, id)
                return .success(id)
            } catch {
                return .failure(error)
            }
        }
        let id = try taken.get()
        outlet.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.cancel(id) }
        }
        return (id, stream)
    }

    /// Drops a request, frees what it held and ends its stream; does nothing when it is unknown or done.
    public func cancel(_ id: Int) {
        let outlet = update { contents, now in
            contents.engine.cancel(id, at: now)
            return contents.outlets.removeValue(forKey: id)
        }
        outlet?.finish()
    }

    /// Changes the engine: pulls a lever for a fault.
    ///
    /// The streams of requests that are lost by it end. `change` runs alone and must not use the driver.
    public func adjust(_ change: (inout EngineModel) -> Void) {
        let lost = update { contents, _ in
            change(&contents.engine)
            let lost = contents.outlets.keys.filter { !contents.engine.holds($0) }.sorted()
            return lost.compactMap { contents.outlets.removeValue(forKey: $0) }
        }
        for outlet in lost { outlet.finish() }
    }

    /// Brings the engine up to the present, changes it, and hands out progress before and after.
    private func update<Answer>(_ body: (inout Contents, Instant) -> Answer) -> Answer {
        let now = time.now
        let (answer, ended, alarm) = contents.withLock { contents in
            var ended = Self.deliver(&contents, at: now)
            let answer = body(&contents, now)
            ended += Self.deliver(&contents, at: now)
            return (answer, ended, Self.arm(&contents))
        }
        // Outside the lock: the end of a stream calls whoever watches it.
        for outlet in ended { outlet.finish() }
        if let alarm { sleep(until: alarm.due, number: alarm.number) }
        return answer
    }

    /// Hands out what is ready and returns the streams that have to end.
    private static func deliver(_ contents: inout Contents, at now: Instant) -> [Outlet] {
        var ended: [Outlet] = []
        for progress in contents.engine.advance(to: now) {
            contents.outlets[progress.id]?.yield(progress)
            if progress.isLast, let outlet = contents.outlets.removeValue(forKey: progress.id) { ended.append(outlet) }
        }
        return ended
    }

    /// A new alarm when none is set, or none early enough; an early one only sets the next.
    private static func arm(_ contents: inout Contents) -> (due: Instant, number: Int)? {
        guard let due = contents.engine.nextDue else { return nil }
        if let alarm = contents.alarm, alarm.due <= due { return nil }
        contents.lastAlarm += 1
        contents.alarm = (due, contents.lastAlarm)
        return contents.alarm
    }

    private func sleep(until due: Instant, number: Int) {
        start { [weak self, time] in
            let rang = (try? await time.sleep(until: due)) != nil
            self?.wake(number, rang: rang)
        }
    }

    /// Goes on when the alarm that counts has rung; a cancelled one leaves it to the next call to set another.
    private func wake(_ number: Int, rang: Bool) {
        let counts = contents.withLock { contents in
            guard contents.alarm?.number == number else { return false }
            contents.alarm = nil
            return rang
        }
        if counts { update { _, _ in } }
    }
}
