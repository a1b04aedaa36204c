internal import CSpillway
internal import SpillwayCore

/// What permits of a quota point to: the books, and what is needed to refuse.
final class QuotaState: GateState, @unchecked Sendable {
    private let lock = UnsafeMutablePointer<spw_lock>.allocate(capacity: 1)
    private var books = QuotaBooks()
    private var learner = QuotaLearner()
    private var settings = Quota.Configuration()
    private var observer: (any Observer)?
    /// One for each dimension, and the quota's own; not changed while the quota lives.
    private var names: [GateName] = []

    override init() {
        lock.initialize(to: 0)
        super.init()
    }

    deinit { lock.deallocate() }

    /// Runs `body` alone; nothing waits in it, and no user code runs.
    @inline(__always)
    private func withLock<Result>(_ body: () -> Result) -> Result {
        spw_lock_acquire(lock)
        defer { spw_lock_release(lock) }
        return body()
    }

    func begin(_ label: String, _ configuration: Quota.Configuration, _ observer: (any Observer)?, at now: Instant) {
        let names =
            Quota.Dimension.allCases.map { GateName(registering: "\(label) \($0)") } + [GateName(registering: label)]
        withLock {
            self.names = names
            self.observer = observer
            learner = QuotaLearner()
            books.reset()
            put(configuration, at: now)
        }
    }

    func end() {
        let (names, observer) = withLock {
            endLife()
            books.reset()
            defer { (self.names, self.observer) = ([], nil) }
            return (self.names, self.observer)
        }
        for name in names { name.release() }
        _ = observer
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let tokens = call.tokens
        // The life is read under the lock, under which it ends.
        let (answer, life) = withLock { (books.admit(tokens, at: now.nanoseconds), self.life) }
        switch answer {
        case .held(let token):
            return Permit(
                RawPermit(state: .passUnretained(self), token: token, admitted: now, cost: 0, life: life))
        case .refused(let reason, let dimension, let wait):
            let rejection = Rejection(names[dimension?.rawValue ?? names.count - 1], reason, retryAfter: wait)
            let (isShadow, observer) = withLock { (settings.shadow, self.observer) }
            guard isShadow else { throw rejection }
            observer?.wouldHaveRejected(rejection)
            return .free(at: now)
        }
    }

    override var isMetered: Bool { true }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        settle(permit, outcome, Measurements(), at: now)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        var use = QuotaBooks.Use()
        if let outcome {
            if let usage = measured.usage {
                use.tokens = (Int64(usage.promptTokens), Int64(usage.answerTokens))
            } else if outcome.cause.neverBegan {
                use.tokens = (0, 0)
            }
            // These never came to be counted by the provider.
            let cause = outcome.cause
            if cause == .connect || cause == .rejected || cause == .overloaded { use.requests = 0 }
        } else {
            use = QuotaBooks.Use(requests: 0, tokens: (0, 0))
        }
        withLock {
            guard permit.life == life else { return }
            books.settle(permit.token, use, at: now.nanoseconds)
        }
    }

    func learn(_ signals: ProviderSignals, sent: Instant?, at now: Instant) {
        withLock {
            learner.learn(signals, &books, settings, sent: sent?.nanoseconds, at: now.nanoseconds)
        }
    }

    func update(_ configuration: Quota.Configuration, at now: Instant) {
        withLock { put(configuration, at: now) }
    }

    private func put(_ new: Quota.Configuration, at now: Instant) {
        let old = settings
        settings = new
        books.concurrency = new.concurrency ?? .max
        books.advance(now.nanoseconds)
        for dimension in Quota.Dimension.allCases where dimension != .concurrency {
            guard let limit = new[dimension], let interval = try? limit.rate.interval(burst: limit.size, "Quota") else {
                // One that was learnt and never configured stays.
                if old[dimension] != nil {
                    books.deactivate(dimension)
                    learner.forget(dimension)
                }
                continue
            }
            if !books.isActive(dimension) {
                books.activate(
                    dimension, interval, Int64(limit.size), largest: Int64(limit.size), at: now.nanoseconds)
            } else if old[dimension] != limit || old.learning != new.learning {
                spw_meter_update(books.meters + dimension.rawValue, interval, Int64(limit.size))
                learner.forget(dimension)
            }
            books.meters[dimension.rawValue].largest = Int64(limit.size)
        }
    }

    func reinstate() {
        withLock {
            books.isRetired = false
            (books.pausedUntil, books.exhaustedUntil) = (.min, .min)
        }
    }

    var isRetired: Bool { withLock { books.isRetired } }
    var callsUnderWay: Int { withLock { books.open } }
    var configuration: Quota.Configuration { withLock { settings } }
    var ignored: (unreadable: Int, outdated: Int) { withLock { (learner.unreadable, learner.outdated) } }

    func standing(at now: Instant) -> [Quota.Standing] {
        withLock {
            books.advance(now.nanoseconds)
            return Quota.Dimension.allCases.compactMap { dimension in
                dimension == .concurrency ? calls(at: now) : standing(of: dimension, at: now)
            }
        }
    }

    private func calls(at now: Instant) -> Quota.Standing? {
        guard let limit = settings.concurrency else { return nil }
        return Quota.Standing(
            dimension: .concurrency, limit: limit, remaining: limit - books.open, held: books.open, resetsAt: now,
            perSecond: 0)
    }

    private func standing(of dimension: Quota.Dimension, at now: Instant) -> Quota.Standing? {
        guard books.isActive(dimension) else { return nil }
        let meter = books.meters + dimension.rawValue
        let full = max(meter.pointee.tat, meter.pointee.window_end) / Int64(SPW_TICKS)
        return Quota.Standing(
            dimension: dimension, limit: Int(meter.pointee.burst),
            remaining: Int(meter.pointee.burst - spw_meter_owed(meter)), held: Int(meter.pointee.held),
            resetsAt: max(now, Instant(nanoseconds: full)),
            perSecond: 1e9 * Double(SPW_TICKS) / Double(meter.pointee.interval))
    }
}
