public import SpillwayCore
internal import Synchronization

extension FairQueue {
    /// What became of a call that tried the gates.
    package enum Trial {
        case letThrough
        /// For good.
        case refused(Rejection)
        /// For now.
        case waits(Rejection)
    }

    /// What a tenant was charged for a call that waited and was let through.
    package struct Charge: Sendable {
        let key: String
        let cost: Double
        let era: Int
    }

    /// What became of a call that waited.
    package enum Ending {
        case letThrough(Charge)
        /// By a gate.
        case refused(Rejection)
        /// By the queue.
        case dropped(Rejection)
        /// Its deadline passed.
        case late
        case cancelled
    }

    /// What a call that tried the gates without waiting knows.
    package struct Tried: Sendable {
        /// How many places had been freed before.
        let freed: UInt64
        /// How it was refused.
        package var rejection: Rejection?
    }

    /// For a call that may try without waiting; nil: others wait.
    package var mayTry: Tried? {
        guard waiting.load(ordering: .sequentiallyConsistent) == 0 else { return nil }
        return Tried(freed: freed.load(ordering: .sequentiallyConsistent))
    }

    /// Says that a place may have been freed: whoever is next tries.
    ///
    /// A policy says so by itself of its own attempts. For places that others free: a policy that shares a gate and not the queue.
    public func free(at now: Instant) {
        freed.wrappingAdd(1, ordering: .sequentiallyConsistent)
        guard waiting.load(ordering: .sequentiallyConsistent) > 0 else { return }
        change { $0.handTurn(at: now) }
    }

    /// Whether tenants share what is only known when a call has ended.
    package var isMetered: Bool { configuration.resources.contains { $0.kind != .calls } }

    /// Charges a tenant for what a call took beyond its estimate, or gives back what it did not take.
    package func settle(_ charge: Charge, usedTokens: Int) {
        guard waiting.load(ordering: .relaxed) > 0 else { return }
        state.withLock { state in
            let used = state.configuration.cost(ofTokens: usedTokens)
            state.line.charge(charge.key, used - charge.cost, era: charge.era)
        }
    }

    /// Waits until `attempt` is let through, or must not wait any longer.
    ///
    /// - Parameters:
    ///   - call: Whose it is, how much it matters, what it takes.
    ///   - tried: That the call has tried and was refused; nil: it has not tried.
    ///   - deadline: When it is too late to begin; nil: never.
    ///   - now: When the call comes.
    ///   - attempt: Tries the gates.
    package func wait(
        _ call: Call, tried: Tried?, until deadline: Instant?, from now: Instant, _ time: any TimeSource,
        _ attempt: (_ now: Instant) -> Trial
    ) async -> Ending {
        let ending = await ending(call, tried, deadline, now, time, attempt)
        note(ending)
        return ending
    }

    private func ending(
        _ call: Call, _ tried: Tried?, _ deadline: Instant?, _ now: Instant, _ time: any TimeSource,
        _ attempt: (_ now: Instant) -> Trial
    ) async -> Ending {
        let criticality = CallContext.criticality(of: call), executor = TaskExecutorPreference.current
        let joined = change { state -> (id: Int, latest: Instant)? in
            let own = now.advanced(by: state.configuration.longest(criticality))
            let latest = deadline.map { min($0, own) } ?? own
            (state.time, state.executor) = (time, executor)
            guard let id = state.join(call, criticality, until: latest, at: now) else { return nil }
            // In this order: see `freed`.
            waiting.store(state.line.count, ordering: .sequentiallyConsistent)
            let hasMissed = tried.map { $0.freed != freed.load(ordering: .sequentiallyConsistent) } ?? false
            state.welcome(
                id, hasMissed: hasMissed, until: tried?.rejection.map { Self.retry(after: $0, now) }, at: now)
            return (id, latest)
        }
        guard let (id, latest) = joined else { return .dropped(Rejection(gate, .queueFull, retryAfter: -1)) }
        while true {
            switch await verdict(id, time) {
            case .cancelled:
                change { $0.leave(id, letThrough: false, at: time.now) }
                return .cancelled
            case .refused(let reason):
                change { $0.leave(id, letThrough: false, at: time.now) }
                if reason == .queuedTooLong, let deadline, deadline <= latest { return .late }
                return .dropped(Rejection(gate, reason, retryAfter: -1))
            case .turn: break
            }
            let now = time.now, before = freed.load(ordering: .sequentiallyConsistent)
            switch attempt(now) {
            case .letThrough:
                return change { state in
                    let charge = Charge(key: call.key ?? "", cost: state.line.places[id].cost, era: state.line.era)
                    state.leave(id, letThrough: true, at: now)
                    return .letThrough(charge)
                }
            case .refused(let rejection):
                change { $0.leave(id, letThrough: false, at: now) }
                return .refused(rejection)
            case .waits(let rejection):
                change { state in
                    let hasMissed = before != freed.load(ordering: .sequentiallyConsistent)
                    state.stay(id, hasMissed: hasMissed, until: Self.retry(after: rejection, now), at: now)
                }
            }
        }
    }

    /// When to try again without having heard of a place: as the gate says, and once a second at the latest, should a place be
    /// freed that nobody tells of.
    private static func retry(after rejection: Rejection, _ now: Instant) -> Instant {
        now.advanced(by: min(max(rejection.retryAfter ?? .seconds(1), .microseconds(1)), .seconds(1)))
    }

    private func verdict(_ id: Int, _ time: any TimeSource) async -> QueueState.Verdict {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let verdict = change { $0.park(id, continuation, at: time.now) }
                if let verdict { continuation.resume(returning: verdict) }
            }
        } onCancel: {
            change { $0.cancel(id, at: time.now) }
        }
    }

    /// Changes the state, and does what follows when the lock is gone.
    @discardableResult
    private func change<Value>(_ body: (inout QueueState) -> Value) -> Value {
        let (value, effects) = state.withLock { state in
            let value = body(&state)
            waiting.store(state.line.count, ordering: .sequentiallyConsistent)
            defer { state.effects = QueueState.Effects() }
            return (value, state.effects)
        }
        for clock in effects.old { clock.cancel() }
        if let order = effects.order { set(order) }
        for (continuation, verdict) in effects.resumed { continuation.resume(returning: verdict) }
        return value
    }

    private func set(_ order: WantedAlarm.Order) {
        let (time, executor) = state.withLock { ($0.time, $0.executor) }
        let clock: WantedAlarm.Clock
        if time is SystemTime {
            guard let handle = SharedTimer.process.set(self, at: order.due) else { return fire() }
            clock = .timer(handle)
        } else {
            clock = .sleeper(order, time, on: executor) { [weak self] number in self?.ring(number) }
        }
        if !state.withLock({ $0.alarm.note(clock, for: order) }) { clock.cancel() }
    }

    private func ring(_ number: UInt64?) {
        let now = state.withLock { $0.time }.now
        change { $0.ring(number, at: now) }
    }
}

extension FairQueue: Timed {
    /// The machine's timer rings; it may be for an alarm that is not wanted any more.
    package func fire() { ring(nil) }
}
