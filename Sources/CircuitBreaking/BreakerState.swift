internal import CSpillway
internal import SpillwayCore

/// What permits of a breaker point to: the words that every call reads, and the machine behind a lock.
final class BreakerState: GateState, @unchecked Sendable {
    struct Guarded {
        var machine: BreakerMachine
        var pending: [Transition] = []
        var delivering = false
        var observer: (any Observer)?
        var label = ""
        /// Of the board that tells others; it belongs to the board.
        weak var bell: Doorbell?
    }

    /// Who must hear of a change when the lock is gone.
    private struct News {
        var delivers = false
        var group: BreakerGroup?
        var bell: Doorbell?
    }

    let words: UnsafeMutablePointer<spw_breaker>
    private(set) var name = GateName(registering: "")
    let guarded = Locked(Guarded(machine: BreakerMachine(.init(), generation: 0)))
    // Both are touched only under the lock.
    private var group: BreakerGroup?
    private var place = BreakerGroup.Place.none

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_breaker())
        super.init()
    }

    /// Starts a life as the breaker called `label`.
    func begin(
        _ label: String, _ configuration: CircuitBreaker.Configuration, _ observer: (any Observer)?,
        _ random: RandomSource, _ group: BreakerGroup?
    ) {
        name = GateName(registering: label)
        guarded.withLock { guarded in
            // The generation goes on where the last life left it, so that its permits count for nothing.
            guarded.machine = BreakerMachine(configuration, generation: guarded.machine.generation + 1)
            guarded.machine.random = random
            guarded.observer = observer
            guarded.label = label
            self.group = group
            group?.join()
            spw_breaker_join(words, group?.panic)
            shapeWindow(configuration, guarded.machine.generation)
            shapeInflight(configuration)
            publish(guarded.machine)
        }
        group?.deliver()
    }

    /// Ends a life: whatever is still under way will find another generation.
    func end() {
        name.release()
        let group = guarded.withLock { guarded in
            guarded.machine.renew()
            spw_inflight_reset(&words.pointee.inflight)
            guarded.pending.removeAll()
            guarded.observer = nil
            guarded.bell = nil
            publish(guarded.machine)
            spw_breaker_join(words, nil)
            self.group?.leave(place)
            place = .none
            defer { self.group = nil }
            return self.group
        }
        group?.deliver()
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
                if !forced, spw_breaker_panics(words) { return .free(at: now) }
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
                machine.trip(machine.generation, at: now.nanoseconds, if: { takePlace(at: now) })
            }
            return (machine.admit(at: now.nanoseconds), machine.configuration.mode == .shadow)
        }
        switch decision {
        case .admit:
            return Permit(raw(state, now, tag: enter(now, judging: false)))
        case .admitUncounted: return .free(at: now)
        case .probe(let number): return Permit(raw(state, now, probe: number))
        case .reject(let reason, let wait):
            if reason != .breakerIsolated, spw_breaker_panics(words) { return .free(at: now) }
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
        change(at: now) { $0.trip(generation, at: now.nanoseconds, if: { self.takePlace(at: now) }) }
    }

    /// Takes a place of the group for a breaker that wants to open.
    func takePlace(at now: Instant) -> Bool {
        guard let group else { return true }
        guard group.take(at: now) else { return false }
        place = .open
        return true
    }

    /// Whether a breaker that is open has a place; one whose shadow mode has just ended must still get it.
    private func hasPlace(_ machine: BreakerMachine, at now: Instant) -> Bool {
        machine.place != .open || place == .open || takePlace(at: now)
    }

    /// Gives back what the breaker needs no more; after its state is published, so that no place is free too early.
    private func settlePlace(_ machine: BreakerMachine, at now: Instant) {
        guard let group, machine.place != place else { return }
        group.move(from: place, to: machine.place, at: now)
        place = machine.place
    }

    @inline(never)
    private func enter(_ now: Instant, judging: Bool) -> UInt32 {
        spw_inflight_enter(&words.pointee.inflight, now.nanoseconds, judging)
    }

    @inline(never)
    private func leave(_ tag: UInt32) { spw_inflight_leave(&words.pointee.inflight, tag) }

    /// Changes the configuration and keeps the state.
    ///
    /// A window of another shape starts empty, and so does the count of calls under way for another rule. A breaker that was
    /// open in shadow mode closes when its group has no place for it.
    func update(_ configuration: CircuitBreaker.Configuration) {
        let news = guarded.withLock { guarded in
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
            let before = guarded.machine.step, openedAt = Instant(nanoseconds: guarded.machine.openedAt)
            if !hasPlace(guarded.machine, at: openedAt) {
                guarded.machine.force(.closed, at: openedAt.nanoseconds)
            }
            return publish(&guarded, since: before, at: openedAt)
        }
        report(news)
    }

    func force(_ state: CircuitBreaker.State, at now: Instant) {
        change(at: now) { $0.force(state, at: now.nanoseconds) }
    }

    func probe(at now: Instant) {
        change(at: now) { $0.probe(at: now.nanoseconds) }
    }

    /// Runs `body` on the machine, publishes what it became, and then, without the lock, reports transitions in order.
    @discardableResult
    private func change<Result>(
        at now: Instant, _ body: (inout BreakerMachine) -> (Result, Bool)
    ) -> (Result, UInt64, Bool) {
        let (result, word, shadow, news) = guarded.withLock { guarded in
            let before = guarded.machine.step
            let (result, shadow) = body(&guarded.machine)
            let news = publish(&guarded, since: before, at: now)
            return (result, guarded.machine.word, shadow, news)
        }
        report(news)
        return (result, word, shadow)
    }

    /// Publishes what the machine became; returns whom the caller must tell.
    private func publish(_ guarded: inout Guarded, since before: BreakerMachine.Step, at now: Instant) -> News {
        let machine = guarded.machine
        if machine.generation != before.generation {
            spw_breaker_reset(words, machine.generation)
            spw_inflight_reset(&words.pointee.inflight)
        }
        publish(machine)
        settlePlace(machine, at: now)
        if before.state != machine.state, guarded.observer != nil {
            guarded.pending.append(
                Transition(gate: guarded.label, from: before.state.rawValue, to: machine.state.rawValue, at: now))
        }
        var news = News(group: group, bell: before.state == machine.state ? nil : guarded.bell)
        guard !guarded.pending.isEmpty, !guarded.delivering else { return news }
        guarded.delivering = true
        news.delivers = true
        return news
    }

    private func report(_ news: News) {
        if news.delivers { deliver() }
        news.group?.deliver()
        news.bell?.ring()
    }

    func change(at now: Instant, _ body: (inout BreakerMachine) -> Void) {
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
}
