/// Watches over the time of one attempt, and cancels the attempt's task when a limit is met.
@usableFromInline
package final class AttemptWatch: Timed {
    private struct State {
        var clock: AttemptClock
        var exceeded: TimeLimit?
        var commitment = Commitment.none
        /// The attempt's task, while it may be cancelled.
        nonisolated(unsafe) var task: UnsafeCurrentTask?
        var alarm: Alarm?
        /// The task is being cancelled just now, and must not end before that has happened.
        var isCancelling = false
        /// The task, which waits for that.
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private struct Alarm {
        enum Clock {
            case timer(SharedTimer.Handle)
            case sleeper(Task<Void, Never>)
        }

        let due: Instant
        let clock: Clock

        func cancel() {
            switch clock {
            case .timer(let handle): SharedTimer.process.cancel(handle)
            case .sleeper(let task): task.cancel()
            }
        }
    }

    /// Whether the attempt has begun to pass its answer on.
    package enum Commitment: Sendable {
        /// Not yet: another attempt would go unnoticed.
        case none
        /// Yes, and another attempt can go on from there.
        case resumable
        /// Yes, and another attempt would repeat or contradict it.
        case final
    }

    private let time: any TimeSource
    private let state: Locked<State>

    /// A watch over an attempt that begins at `now`.
    package init(
        _ limits: AttemptTimeout?, deadline: Instant?, streams: Bool, time: any TimeSource, at now: Instant
    ) {
        self.time = time
        state = Locked(State(clock: AttemptClock(limits, deadline: deadline, streams: streams, at: now)))
    }

    /// The limit that was met; nil: none yet.
    @usableFromInline package var exceeded: TimeLimit? { state.withLock { $0.exceeded } }

    /// Whether the attempt has begun to pass its answer on.
    package var commitment: Commitment { state.withLock { $0.commitment } }

    /// When the first content came.
    package var firstContent: Instant? { state.withLock { $0.clock.firstContent } }

    func received(_ tokens: Int) {
        let now = time.now
        change { $0.received(tokens, at: now) }
    }

    func pause() {
        let now = time.now
        change { $0.pause(at: now) }
    }

    func resume() {
        let now = time.now
        change { $0.resume(at: now) }
    }

    func commit(resumable: Bool) {
        state.withLock { $0.commitment = resumable ? .resumable : .final }
    }

    /// Runs `body` in the running task, which must be the attempt's own, and cancels that when a limit is met.
    @inlinable
    package func run<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        start()
        let result: Result<Value, Failure>
        do throws(Failure) { result = .success(try await body()) } catch { result = .failure(error) }
        await stop()
        return try result.get()
    }

    /// From now on the running task may be cancelled.
    @usableFromInline
    func start() {
        withUnsafeCurrentTask { task in state.withLock { $0.task = task } }
        change { _ in }
    }

    /// Changes the clock, and sets the alarm to what is due then.
    private func change(_ body: (inout AttemptClock) -> Void) {
        state.withLock { state in
            body(&state.clock)
            guard state.task != nil, state.exceeded == nil, let due = state.clock.due else { return }
            // What is due later than the alarm is found when it rings.
            if let alarm = state.alarm, alarm.due <= due { return }
            state.alarm?.cancel()
            state.alarm = alarm(at: due)
        }
    }

    /// An alarm that calls ``fire()``.
    ///
    /// The machine's timer needs no task for it.
    private func alarm(at due: Instant) -> Alarm {
        if time is SystemTime, let handle = SharedTimer.process.set(self, at: due) {
            return Alarm(due: due, clock: .timer(handle))
        }
        let (time, executor) = (time, TaskExecutorPreference.current)
        return Alarm(
            due: due,
            clock: .sleeper(
                Task(executorPreference: executor) { [weak self] in
                    if (try? await time.sleep(until: due)) != nil { self?.fire() }
                }))
    }

    @usableFromInline
    package func fire() {
        let now = time.now
        let task = state.withLock { state -> UnsafeCurrentTask? in
            state.alarm = nil
            guard let task = state.task, state.exceeded == nil else { return nil }
            state.exceeded = state.clock.exceeded(at: now)
            state.isCancelling = state.exceeded != nil
            return state.isCancelling ? task : nil
        }
        guard let task else { return change { _ in } }
        // Outside of the lock, because this runs what the operation wants to have done when it is cancelled.
        task.cancel()
        state.withLock { state in
            state.isCancelling = false
            return state.waiter.take()
        }?.resume()
    }

    /// From now on the task is not cancelled any more.
    @usableFromInline
    func stop() async {
        let isCancelling = state.withLock { state in
            state.task = nil
            state.alarm.take()?.cancel()
            return state.isCancelling
        }
        guard isCancelling else { return }
        await withUnsafeContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isCancelling { state.waiter = continuation }
                return !state.isCancelling
            }
            if isOver { continuation.resume() }
        }
    }
}
