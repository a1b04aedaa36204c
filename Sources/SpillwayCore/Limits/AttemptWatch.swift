private import CSpillway

/// Watches over the time of one attempt, and cancels the attempt's task when a limit is met.
///
/// Whatever is reported once the attempt has ended changes nothing.
@usableFromInline
package final class AttemptWatch: Timed {
    private enum Phase {
        case ready, running, ended
    }

    private struct State {
        var clock: AttemptClock
        var phase = Phase.ready
        var exceeded: TimeLimit?
        var commitment = Commitment.none
        /// The attempt's task, while it may be cancelled.
        nonisolated(unsafe) var task: UnsafeCurrentTask?
        /// Where the tasks of alarms run.
        var executor: (any TaskExecutor)?
        var alarm = WantedAlarm()
        /// The caller was cancelled before the attempt had begun.
        var isCancelled = false
        /// The task is being cancelled just now, and must not end before that has happened.
        var isCancelling = false
        /// The task, which waits for that.
        var waiter: UnsafeContinuation<Void, Never>?
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
    private let usesSystemTime: Bool
    private let state: Locked<State>

    /// A watch over an attempt that begins at `now`.
    package init(
        _ limits: AttemptTimeout?, deadline: Instant?, streams: Bool, time: any TimeSource, at now: Instant
    ) {
        self.time = time
        usesSystemTime = type(of: time) == SystemTime.self
        state = Locked(State(clock: AttemptClock(limits, deadline: deadline, streams: streams, at: now)))
    }

    private var now: Instant { usesSystemTime ? Instant(nanoseconds: spw_now()) : time.now }

    /// The limit that was met; nil: none yet.
    @usableFromInline
    package var exceeded: TimeLimit? { state.withLock { $0.exceeded } }

    /// Whether the attempt has begun to pass its answer on.
    package var commitment: Commitment { state.withLock { $0.commitment } }

    /// When the first content came.
    package var firstContent: Instant? { state.withLock { $0.clock.firstContent } }

    /// What was measured of the answer, which has just ended.
    package var measurements: Measurements {
        let now = now
        return state.withLock { $0.clock.measurements(at: now) }
    }

    /// Whether the answer, which has just ended, was slower than wanted.
    package func isSlow(_ slow: SlowAnswer) -> Bool {
        let now = now
        return state.withLock { $0.clock.isSlow(slow, at: now) }
    }

    func received(_ tokens: Int) {
        let now = now
        change { $0.received(tokens, at: now) }
    }

    func pause() {
        let now = now
        change { $0.pause(at: now) }
    }

    func resume() {
        let now = now
        change { $0.resume(at: now) }
    }

    /// The attempt is to go on elsewhere: cancels it, unless it has begun to pass on an answer with which no other can go on.
    package func leave() {
        let now = now
        let order = state.withLock { state -> WantedAlarm.Order? in
            if case .final = state.commitment { return nil }
            guard state.phase != .ended else { return nil }
            state.clock.leave(at: now)
            return alarmOrder(&state)
        }
        if let order { set(order) }
    }

    /// Notes that the answer is about to be passed on; false when it must not be, since the attempt is over.
    func commit(resumable: Bool) -> Bool {
        state.withLock { state in
            guard state.phase != .ended, state.exceeded == nil, resumable || !state.clock.isLeaving else {
                return false
            }
            if state.commitment != .final { state.commitment = resumable ? .resumable : .final }
            return true
        }
    }

    /// The answer is not passed on after all: another attempt was first.
    func takeCommitBack() { state.withLock { $0.commitment = .none } }

    /// Runs `body` in the running task, which must be the attempt's own, and cancels that when a limit is met.
    ///
    /// Once; a second run is not watched. What comes after a limit does not count, even if nothing was cancelled: see
    /// ``exceeded`` then.
    @inlinable
    package func run<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        guard begin() else { return try await body() }
        let result: Result<Value, Failure>
        do throws(Failure) { result = .success(try await body()) } catch { result = .failure(error) }
        if end() { await cancellation() }
        return try result.get()
    }

    /// From now on the running task is cancelled when a limit is met; false when this is not the first run.
    @usableFromInline @discardableResult
    func begin() -> Bool {
        let executor = usesSystemTime ? nil : TaskExecutorPreference.current
        let (first, order) = withUnsafeCurrentTask { task in
            let (first, order, isCancelled) = state.withLock { state -> (Bool, WantedAlarm.Order?, Bool) in
                guard state.phase == .ready else { return (false, nil, false) }
                state.phase = .running
                state.task = task
                state.executor = executor
                return (true, alarmOrder(&state), state.isCancelled)
            }
            if isCancelled { task?.cancel() }
            return (first, order)
        }
        if let order { set(order) }
        return first
    }

    /// From now on the task is not cancelled any more; true when it is being cancelled just now.
    @usableFromInline
    func end() -> Bool {
        let now = now
        let (isCancelling, alarm) = state.withLock { state in
            if state.exceeded == nil { state.exceeded = state.clock.exceeded(at: now) }
            state.phase = .ended
            state.task = nil
            return (state.isCancelling, state.alarm.drop())
        }
        alarm?.cancel()
        return isCancelling
    }

    /// Returns when the task has been cancelled.
    @usableFromInline
    func cancellation() async {
        await withUnsafeContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isCancelling { state.waiter = continuation }
                return !state.isCancelling
            }
            if isOver { continuation.resume() }
        }
    }

    /// Changes the clock, and sets the alarm to what is due then.
    private func change(_ body: (inout AttemptClock) -> Void) {
        let order = state.withLock { state -> WantedAlarm.Order? in
            guard state.phase != .ended else { return nil }
            body(&state.clock)
            return alarmOrder(&state)
        }
        if let order { set(order) }
    }

    /// Sees to it that the next limit is noticed; returns what is to be done when the lock is gone.
    ///
    /// The machine's timer is no foreign code, and can be set under the lock.
    private func alarmOrder(_ state: inout State) -> WantedAlarm.Order? {
        guard state.phase == .running, state.exceeded == nil, let order = state.alarm.want(state.clock.due)
        else { return nil }
        guard usesSystemTime, let handle = SharedTimer.process.set(self, at: order.due) else { return order }
        order.old?.cancel()
        _ = state.alarm.note(.timer(handle), for: order)
        return nil
    }

    private func set(_ order: WantedAlarm.Order) {
        order.old?.cancel()
        guard let alarm = alarm(for: order) else { return fire() }
        if !state.withLock({ $0.alarm.note(alarm, for: order) }) { alarm.cancel() }
    }

    /// An alarm as ordered; nil when it would ring at once.
    private func alarm(for order: WantedAlarm.Order) -> WantedAlarm.Clock? {
        if usesSystemTime { return SharedTimer.process.set(self, at: order.due).map(WantedAlarm.Clock.timer) }
        return .sleeper(order, time, on: state.withLock { $0.executor }) { [weak self] in self?.ring($0) }
    }

    /// The machine's timer rings; it may be for an alarm that is not wanted any more.
    @usableFromInline
    package func fire() { ring(nil) }

    private func ring(_ number: UInt64?) {
        let now = now
        let (task, order) = state.withLock { state -> (UnsafeCurrentTask?, WantedAlarm.Order?) in
            guard state.phase == .running, state.exceeded == nil else { return (nil, nil) }
            let isWanted = number.map { $0 == state.alarm.number } ?? (state.alarm.due.map { $0 <= now } ?? true)
            guard isWanted else { return (nil, nil) }
            _ = state.alarm.drop()
            state.exceeded = state.clock.exceeded(at: now)
            // Someone else may be about it already.
            guard state.exceeded != nil, !state.isCancelling else { return (nil, alarmOrder(&state)) }
            state.isCancelling = true
            return (state.task, nil)
        }
        if let order { set(order) }
        if let task { cancel(task) }
    }

    /// The caller was cancelled, and so is the attempt, unless it is over.
    @usableFromInline
    package func cancel() {
        let task = state.withLock { state -> UnsafeCurrentTask? in
            if state.phase == .ready { state.isCancelled = true }
            // Someone else is about it already.
            guard state.phase == .running, !state.isCancelling else { return nil }
            state.isCancelling = true
            return state.task
        }
        if let task { cancel(task) }
    }

    /// Cancels the attempt's task, which does not end before that has happened.
    private func cancel(_ task: UnsafeCurrentTask) {
        // Outside of the lock, because this runs what the operation wants to have done when it is cancelled.
        task.cancel()
        state.withLock { state in
            state.isCancelling = false
            return state.waiter.take()
        }?.resume()
    }
}
