internal import CSpillway
internal import SpillwayCore

/// What permits of a breaker point to: the words that every call reads, and the machine behind a lock.
final class BreakerState: GateState, @unchecked Sendable {
    private struct Guarded {
        var machine: BreakerMachine
        var pending: [Transition] = []
        var delivering = false
        var observer: (any Observer)?
        var label = ""
    }

    let words: UnsafeMutablePointer<spw_breaker>
    private(set) var name = GateName(registering: "")
    private let guarded = Locked(Guarded(machine: BreakerMachine(.init(), generation: 0)))

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_breaker())
        super.init()
    }

    /// Starts a life as the breaker called `label`.
    func begin(
        _ label: String, _ configuration: CircuitBreaker.Configuration, _ observer: (any Observer)?,
        _ random: RandomSource
    ) {
        name = GateName(registering: label)
        guarded.withLock { guarded in
            // The generation goes on where the last life left it, so that its permits count for nothing.
            guarded.machine = BreakerMachine(configuration, generation: guarded.machine.generation + 1)
            guarded.machine.random = random
            guarded.observer = observer
            guarded.label = label
            shapeWindow(configuration, guarded.machine.generation)
            shapeInflight(configuration)
            publish(guarded.machine)
        }
    }

    /// Ends a life: whatever is still under way will find another generation.
    func end() {
        name.release()
        guarded.withLock { guarded in
            guarded.machine.renew()
            spw_inflight_reset(&words.pointee.inflight)
            guarded.pending.removeAll()
            guarded.observer = nil
            publish(guarded.machine)
        }
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try admit(at: now)
    }

    func admit(at now: Instant) throws(Rejection) -> Permit {
        let state = spw_breaker_state(words)
        if state & 3 == UInt64(SPW_PATH_CLOSED) {
            return Permit(raw(state, now))
        }
        if state & 3 == UInt64(SPW_PATH_WATCH) {
            let tag = enter(now, judging: true)
            if tag != 0 { return Permit(raw(state, now, tag: tag)) }
        }
        if state & 3 == UInt64(SPW_PATH_OPEN) {
            let left = spw_breaker_open_left(words, now.nanoseconds)
            if left > 0, !spw_breaker_is_shadow(words) {
                let forced = left == Int64.max
                throw Rejection(name, forced ? .breakerIsolated : .breakerOpen, retryAfter: forced ? -1 : left)
            }
        }
        return try admitSlowly(at: now)
    }

    /// A permit; the generation in its token does for a life, so that place takes the tag of a call that is watched.
    private func raw(_ state: UInt64, _ now: Instant, probe: UInt32 = 0, tag: UInt32 = 0) -> RawPermit {
        RawPermit(state: .passUnretained(self), token: state, admitted: now, cost: probe, life: tag)
    }

    private func admitSlowly(at now: Instant) throws(Rejection) -> Permit {
        let (decision, state, shadow) = change(at: now) { machine in
            // Judged under the lock, under which no other rule can take its place.
            if machine.state == .closed, spw_inflight_judge(&words.pointee.inflight, now.nanoseconds) {
                machine.trip(machine.generation, at: now.nanoseconds)
            }
            return (machine.admit(at: now.nanoseconds), machine.configuration.mode == .shadow)
        }
        switch decision {
        case .admit:
            return Permit(raw(state, now, tag: enter(now, judging: false)))
        case .admitUncounted: return .free(at: now)
        case .probe(let number): return Permit(raw(state, now, probe: number))
        case .reject(let reason, let wait):
            let rejection = Rejection(name, reason, retryAfter: wait)
            guard shadow else { throw rejection }
            guarded.withLock { $0.observer }?.wouldHaveRejected(rejection)
            return .free(at: now)
        }
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        if permit.life != 0 { leave(permit.life) }
        guard let outcome, outcome.verdict != .neutral else {
            if permit.cost != 0 { settleProbe(permit, nil, at: now) }
            return
        }
        let slow = outcome.cause == .slow
        let failed =
            outcome.verdict == .failure
            || spw_breaker_failed(words, slow, permit.admitted.nanoseconds, now.nanoseconds)
        if permit.cost != 0 { return settleProbe(permit, !failed, at: now) }
        if spw_breaker_record(words, permit.token, failed, now.nanoseconds) { trip(permit.token >> 2, at: now) }
    }

    // What is rare, or is off by default, is not inlined, so that the common path saves no registers for it.

    @inline(never)
    private func settleProbe(_ permit: RawPermit, _ success: Bool?, at now: Instant) {
        change(at: now) {
            $0.settle(probe: permit.cost, permit.token >> 2, success: success, at: now.nanoseconds)
        }
    }

    @inline(never)
    private func trip(_ generation: UInt64, at now: Instant) {
        change(at: now) { $0.trip(generation, at: now.nanoseconds) }
    }

    @inline(never)
    private func enter(_ now: Instant, judging: Bool) -> UInt32 {
        spw_inflight_enter(&words.pointee.inflight, now.nanoseconds, judging)
    }

    @inline(never)
    private func leave(_ tag: UInt32) { spw_inflight_leave(&words.pointee.inflight, tag) }

    /// Changes the configuration and keeps the state.
    ///
    /// A window of another shape starts empty, and so does the count of calls under way for another rule.
    func update(_ configuration: CircuitBreaker.Configuration) {
        guarded.withLock { guarded in
            let old = guarded.machine.configuration
            guarded.machine.configuration = configuration
            if old.window != configuration.window || old.failureRatio != configuration.failureRatio
                || old.minimumCalls != configuration.minimumCalls
            {
                guarded.machine.renew()
                shapeWindow(configuration, guarded.machine.generation)
            } else if guarded.machine.state == .halfOpen {
                // Results counted under another rule could leave no place for the probe that decides.
                guarded.machine.renew()
            }
            if old.stuck != configuration.stuck { shapeInflight(configuration) }
            publish(guarded.machine)
        }
    }

    func force(_ state: CircuitBreaker.State, at now: Instant) {
        change(at: now) { $0.force(state, at: now.nanoseconds) }
    }

    func probe(at now: Instant) {
        change(at: now) { $0.probe(at: now.nanoseconds) }
    }

    var current: (state: CircuitBreaker.State, configuration: CircuitBreaker.Configuration) {
        guarded.withLock { ($0.machine.state, $0.machine.configuration) }
    }

    func counts(at now: Instant) -> (failures: Int, total: Int) {
        let counts = spw_breaker_counts(words, now.nanoseconds)
        return (Int(counts.failures), Int(counts.total))
    }

    func inFlight(at now: Instant) -> (stuck: Int, total: Int) {
        let counts = spw_inflight_count(&words.pointee.inflight, now.nanoseconds)
        return (Int(counts.overdue), Int(counts.total))
    }

    /// Runs `body` on the machine, publishes what it became, and then, without the lock, reports transitions in order.
    @discardableResult
    private func change<Result>(
        at now: Instant, _ body: (inout BreakerMachine) -> (Result, Bool)
    ) -> (Result, UInt64, Bool) {
        let (result, word, shadow, deliver) = guarded.withLock { guarded in
            let before = guarded.machine.state, generation = guarded.machine.generation
            let (result, shadow) = body(&guarded.machine)
            let after = guarded.machine.state
            if guarded.machine.generation != generation {
                spw_breaker_reset(words, guarded.machine.generation)
                spw_inflight_reset(&words.pointee.inflight)
            }
            publish(guarded.machine)
            if before != after, guarded.observer != nil {
                let transition = Transition(
                    gate: guarded.label, from: before.rawValue, to: after.rawValue, at: now)
                guarded.pending.append(transition)
            }
            let deliver = !guarded.pending.isEmpty && !guarded.delivering
            if deliver { guarded.delivering = true }
            return (result, guarded.machine.word, shadow, deliver)
        }
        if deliver { self.deliver() }
        return (result, word, shadow)
    }

    private func change(at now: Instant, _ body: (inout BreakerMachine) -> Void) {
        _ = change(at: now) { machine in
            body(&machine)
            return ((), false)
        }
    }

    /// One caller at a time delivers, in order; an observer that causes another transition adds to the same queue.
    private func deliver() {
        while true {
            let (next, observer) = guarded.withLock { guarded -> (Transition?, (any Observer)?) in
                guard !guarded.pending.isEmpty else {
                    guarded.delivering = false
                    return (nil, nil)
                }
                return (guarded.pending.removeFirst(), guarded.observer)
            }
            guard let next else { return }
            observer?.changed(next)
        }
    }

    private func publish(_ machine: BreakerMachine) {
        spw_breaker_set_slow(words, machine.configuration.slow.nanoseconds)
        spw_breaker_publish(
            words, machine.word, machine.openedAt, machine.openFor, machine.configuration.mode == .shadow)
    }

    private func shapeWindow(_ configuration: CircuitBreaker.Configuration, _ generation: UInt64) {
        let minimum = UInt32(configuration.minimumCalls)
        let share = UInt32(configuration.failureRatio * Double(UInt32.max))
        switch configuration.window.kind {
        case .calls(let size) where size <= Int(SPW_WINDOW_MOST):
            spw_breaker_shape_word(words, UInt32(SPW_WINDOW_LAST), UInt32(size), minimum, share)
        case .consecutive(let count):
            spw_breaker_shape_word(words, UInt32(SPW_WINDOW_CONSECUTIVE), UInt32(count), 1, share)
        case .calls(let size):
            spw_breaker_shape_ring(words, 0, UInt32(size), minimum, share)
        case .time(let span, let slices):
            let slice = max(1, span.clampedNanoseconds / Int64(slices))
            spw_breaker_shape_ring(words, slice, UInt32(slices), minimum, share)
        }
        spw_breaker_reset(words, generation)
    }

    private func shapeInflight(_ configuration: CircuitBreaker.Configuration) {
        let stuck = configuration.stuck
        spw_inflight_shape(
            &words.pointee.inflight, stuck?.olderThan.clampedNanoseconds ?? 0, UInt32(stuck?.calls ?? 0),
            UInt32((stuck?.share ?? 0) * Double(UInt32.max)))
    }
}

extension BreakerMachine {
    /// What a reader without the lock reads.
    var word: UInt64 { generation << 2 | path }
}
