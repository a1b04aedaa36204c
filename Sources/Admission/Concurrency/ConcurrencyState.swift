internal import CSpillway
internal import SpillwayCore

/// What permits of a limit point to: the word, and the rule behind a lock.
final class ConcurrencyState: GateState, @unchecked Sendable {
    private struct Guarded {
        var configuration = ConcurrencyLimit.Configuration(.fixed(1))
        var observer: (any Observer)?
        var learner = LimitLearner()
        var partitions = PartitionPlaces()
        var reuse: (@Sendable (ConcurrencyState) -> Void)?
    }

    private let words: UnsafeMutablePointer<spw_concurrency>
    private var name = GateName(registering: "")
    private let guarded = Locked(Guarded())

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_concurrency())
        super.init()
    }

    /// Begins a life in which nobody is in flight.
    ///
    /// - Parameter reuse: Called when the life is over and the last call has left.
    func begin(
        _ label: String, _ configuration: ConcurrencyLimit.Configuration, _ observer: (any Observer)?,
        _ reuse: @escaping @Sendable (ConcurrencyState) -> Void
    ) {
        name = GateName(registering: label)
        spw_concurrency_begin(words)
        guarded.withLock { guarded in
            guarded.observer = observer
            guarded.reuse = reuse
            guarded.learner.begin(configuration)
            set(configuration, &guarded)
            // No call has begun: the first that ends closes this window as one that began before its time.
            open(&guarded, at: .max, anew: true)
        }
    }

    /// Ends the life; the state is used again when nobody is in flight.
    func end() {
        name.release()
        // Let go of when the lock is gone.
        let observer = guarded.withLock { $0.observer.take() }
        withExtendedLifetime(observer) {}
        // Until the last call has left nobody else holds the state.
        _ = Unmanaged.passRetained(self)
        if spw_concurrency_end(words) { recycle() }
    }

    @inline(never)
    private func recycle() {
        let reuse = guarded.withLock { guarded in
            guarded.partitions.clear()
            return guarded.reuse.take()
        }
        reuse?(self)
        Unmanaged.passUnretained(self).release()
    }

    var limit: Int { Int(spw_concurrency_limit(words)) }
    var inFlight: Int { Int(spw_concurrency_in_flight(words)) }
    var configuration: ConcurrencyLimit.Configuration { guarded.withLock { $0.configuration } }

    func update(_ configuration: ConcurrencyLimit.Configuration, at now: Instant) {
        guarded.withLock { guarded in
            guarded.learner.update(configuration)
            set(configuration, &guarded)
            open(&guarded, at: now.nanoseconds, anew: true)
        }
    }

    private func set(_ configuration: ConcurrencyLimit.Configuration, _ guarded: inout Guarded) {
        guarded.configuration = configuration
        guarded.partitions.set(configuration.partitions)
        var flags = guarded.learner.flags
        if configuration.partitions != nil { flags |= LimitFlags.shared }
        if configuration.shadow { flags |= LimitFlags.shadow }
        spw_concurrency_configure(words, flags, UInt32(guarded.learner.samples))
    }

    private func open(_ guarded: inout Guarded, at now: Int64, anew: Bool) {
        spw_concurrency_open(words, UInt32(guarded.learner.limit), now, guarded.learner.length, anew)
    }

    // MARK: Places

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        // Read first: a call is of the epoch before when the limit changes now.
        let epoch = spw_concurrency_epoch(words)
        let flags = spw_concurrency_flags(words)
        guard flags & LimitFlags.shared == 0 else { return try share(call, epoch, at: now) }
        let seen = spw_concurrency_take(words, spw_concurrency_limit(words))
        guard seen > 0 else { return try refuse(epoch, 0, at: now) }
        return permit(UInt64(seen), epoch, now)
    }

    private func permit(_ token: UInt64, _ epoch: UInt32, _ now: Instant) -> Permit {
        Permit(RawPermit(state: .passUnretained(self), token: token, admitted: now, cost: 0, life: epoch))
    }

    /// Takes a place under the shares of partitions.
    @inline(never)
    private func share(_ call: Call, _ epoch: UInt32, at now: Instant) throws(Rejection) -> Permit {
        let criticality = CallContext.criticality(of: call)
        let shadow = spw_concurrency_flags(words) & LimitFlags.shadow != 0
        let (seen, mark) = guarded.withLock { guarded -> (UInt32, UInt64) in
            let index = guarded.partitions.index(of: call, criticality)
            let bound = guarded.partitions.bound(index, of: limit).map { UInt32($0) } ?? SPW_CONCURRENCY_MOST
            let seen = spw_concurrency_take(words, bound)
            return seen == 0 && !shadow ? (0, 0) : (seen, guarded.partitions.enter(index))
        }
        guard seen > 0 else { return try refuse(epoch, mark, at: now) }
        return permit(UInt64(seen) | mark, epoch, now)
    }

    /// Throws, or in shadow mode only reports, and counts the call in.
    @inline(never)
    private func refuse(_ epoch: UInt32, _ mark: UInt64, at now: Instant) throws(Rejection) -> Permit {
        let rejection = Rejection(name, .concurrencyLimited, retryAfter: -1)
        guard spw_concurrency_flags(words) & LimitFlags.shadow != 0 else {
            // Shadow mode may have ended just now.
            if mark != 0 { guarded.withLock { $0.partitions.leave(mark) } }
            throw rejection
        }
        guarded.withLock { $0.observer }?.wouldHaveRejected(rejection)
        let seen = spw_concurrency_take(words, SPW_CONCURRENCY_MOST)
        guard seen > 0 else {
            if mark != 0 { guarded.withLock { $0.partitions.leave(mark) } }
            return .free(at: now)
        }
        return permit(UInt64(seen) | mark, epoch, now)
    }

    // MARK: Outcomes

    /// Calls that do not stream are measured by what they used.
    override var isMetered: Bool { spw_concurrency_flags(words) & LimitFlags.model != 0 }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        let flags = spw_concurrency_flags(words)
        guard permit.token >> 16 == 0 else { return settleSlowly(permit, outcome, nil, at: now) }
        if flags & LimitFlags.timed != 0, outcome?.verdict == .success { return leaveTimed(permit, at: now) }
        guard flags & LimitFlags.learns == 0 else { return settleSlowly(permit, outcome, nil, at: now) }
        if spw_concurrency_leave(words) == SPW_CONCURRENCY_LAST { recycle() }
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        guard spw_concurrency_flags(words) & LimitFlags.model != 0 else { return settle(permit, outcome, at: now) }
        settleSlowly(permit, outcome, measured, at: now)
    }

    private func leaveTimed(_ permit: RawPermit, at now: Instant) {
        let seen = UInt32(truncatingIfNeeded: permit.token & 0xFFFF)
        let next = spw_concurrency_leave_timed(
            words, permit.life, seen, permit.admitted.nanoseconds, now.nanoseconds)
        if next == SPW_CONCURRENCY_LEFT { return }
        if next == SPW_CONCURRENCY_LAST { return recycle() }
        close(at: now)
    }

    /// What is not a success that a clock measured.
    @inline(never)
    private func settleSlowly(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements?, at now: Instant) {
        // What the call teaches before it leaves: until then the state is surely that of its own gate.
        if let outcome, outcome.verdict != .neutral, permit.life == spw_concurrency_epoch(words), now > permit.admitted
        {
            teach(permit, outcome, measured, at: now)
        }
        if permit.token >> 16 != 0 { guarded.withLock { $0.partitions.leave(permit.token) } }
        let takesTime = outcome?.verdict == .success || outcome == .failure(.timeout)
        if takesTime, spw_concurrency_flags(words) & LimitFlags.timed != 0 { return leaveTimed(permit, at: now) }
        if spw_concurrency_leave(words) == SPW_CONCURRENCY_LAST { recycle() }
    }

    private func teach(_ permit: RawPermit, _ outcome: Outcome, _ measured: Measurements?, at now: Instant) {
        let flags = spw_concurrency_flags(words)
        if flags & LimitFlags.model != 0 {
            let sample = ModelSample(
                outcome, measured, from: permit.admitted, to: now, inFlight: Int(permit.token & 0xFFFF))
            guarded.withLock { guarded in
                guard permit.life == spw_concurrency_epoch(words) else { return }
                guarded.learner.record(sample)
                guard guarded.learner.hasEnough, spw_concurrency_is_over(words, now.nanoseconds) else { return }
                guarded.learner.closeModel(at: now)
                open(&guarded, at: now.nanoseconds, anew: false)
            }
        } else if flags & LimitFlags.timed != 0, outcome.verdict == .failure,
            LimitLearner.speaksOfCapacity(outcome.cause)
        {
            if spw_concurrency_drop(words, now.nanoseconds) == SPW_CONCURRENCY_CLOSE { close(at: now) }
        }
    }

    /// Ends the window if it still is the one that has what it needs, and lets the rule speak.
    @inline(never)
    private func close(at now: Instant) {
        guarded.withLock { guarded in
            let window = spw_concurrency_gathered(words)
            let isFull = window.samples == SPW_CONCURRENCY_COUNT_MOST
            guard window.samples + window.drops >= UInt32(guarded.learner.samples),
                isFull || spw_concurrency_is_over(words, now.nanoseconds)
            else { return }
            guarded.learner.close(window)
            open(&guarded, at: now.nanoseconds, anew: false)
        }
    }
}

/// The flags beside the word.
enum LimitFlags {
    static let timed = UInt32(SPW_CONCURRENCY_TIMED)
    static let model = UInt32(SPW_CONCURRENCY_MODEL)
    static let shared = UInt32(SPW_CONCURRENCY_SHARED)
    static let shadow = UInt32(SPW_CONCURRENCY_SHADOW)
    static let learns = timed | model
}
