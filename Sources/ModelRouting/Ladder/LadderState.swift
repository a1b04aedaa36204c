internal import SpillwayCore
internal import Synchronization

/// Which tiers a ladder has left, for all calls.
///
/// Healthy traffic reads one word. What changes is decided under a lock; whoever it is told to is told after that.
final class LadderState: @unchecked Sendable {
    /// A tier's own history.
    private struct Tier {
        var isOut = false
        var cause = Outcome.Cause.none
        var successes = 0
        var since = Instant(nanoseconds: .min)
        var dwell = Duration.zero
        var nextProbe = Instant(nanoseconds: .min)
        /// Probes since the last success.
        var unanswered = 0
    }

    private struct Books {
        var tiers: [Tier]
        var hysteresis: Hysteresis
        var changes: [ModeChange] = []
        /// Changes that nobody was told of yet.
        var untold: [ModeChange] = []
        var isTelling = false
    }

    /// How many changes are kept.
    private static let kept = 64
    /// How often the time between probes may double.
    private static let probeDoublings = 4

    private let names: [String]
    /// Tiers that are only asked where a fallback names them are never the mode.
    private let spare: UInt64
    private let out = Atomic<UInt64>(0)
    /// Calls in a row that a tier did not serve; one word for each.
    private let misses: UnsafeMutablePointer<Atomic<Int>>
    /// When each tier came back last, in nanoseconds.
    private let returns: UnsafeMutablePointer<Atomic<Int64>>
    private let books: Locked<Books>
    private let limit: Atomic<Int>
    private let router: String
    private let observer: (any Observer)?

    init(
        _ router: String, _ names: [String], spare: UInt64, _ hysteresis: Hysteresis, _ observer: (any Observer)?
    ) {
        self.router = router
        self.names = names
        self.spare = spare
        self.observer = observer
        limit = Atomic(hysteresis.misses)
        misses = .allocate(capacity: names.count)
        returns = .allocate(capacity: names.count)
        for tier in names.indices {
            (misses + tier).initialize(to: Atomic(0))
            (returns + tier).initialize(to: Atomic(.min))
        }
        books = Locked(Books(tiers: Array(repeating: Tier(), count: names.count), hysteresis: hysteresis))
    }

    deinit {
        misses.deallocate()
        returns.deallocate()
    }

    var hysteresis: Hysteresis { books.withLock { $0.hysteresis } }
    var changes: [ModeChange] { books.withLock { $0.changes } }

    func update(_ hysteresis: Hysteresis) {
        limit.store(hysteresis.misses, ordering: .relaxed)
        books.withLock { $0.hysteresis = hysteresis }
    }

    /// Whether a tier that did not serve a call for this reason is to blame.
    func counts(_ reason: Reason, _ cause: Outcome.Cause = .none) -> Bool {
        if reason == .spendLimit { return hysteresis.sharesPurse }
        return Hysteresis.counts(reason, cause)
    }

    /// The first tier that the ladder has not left; the first of all where it has left every one.
    var level: Int { level(out.load(ordering: .relaxed)) }

    private func level(_ out: UInt64) -> Int {
        let level = (~out & ~spare).trailingZeroBitCount
        return level < names.count ? level : 0
    }

    /// What the tier was left for, if a call must pass it over; one call at a time need not, to probe: nil.
    func whyLeft(_ tier: Int, at now: Instant) -> Outcome.Cause? {
        guard out.load(ordering: .relaxed) & 1 << UInt64(tier) != 0 else { return nil }
        return books.withLock { books in
            guard books.tiers[tier].isOut else { return nil }
            guard now >= books.tiers[tier].nextProbe else { return books.tiers[tier].cause }
            let wait = books.hysteresis.probeEvery * (1 << min(books.tiers[tier].unanswered, Self.probeDoublings))
            books.tiers[tier].nextProbe = now.advanced(by: wait)
            books.tiers[tier].unanswered += 1
            return nil
        }
    }

    /// The tier served a call that began there at `began`; one from before the ladder left it says nothing of its health.
    func served(_ tier: Int, since began: Instant, at now: Instant) {
        if misses[tier].load(ordering: .relaxed) != 0 { misses[tier].store(0, ordering: .relaxed) }
        guard out.load(ordering: .relaxed) & 1 << UInt64(tier) != 0 else { return }
        let isTelling = books.withLock { books in
            guard books.tiers[tier].isOut, began >= books.tiers[tier].since else { return false }
            books.tiers[tier].successes += 1
            books.tiers[tier].unanswered = 0
            let next = now.advanced(by: books.hysteresis.probeEvery)
            books.tiers[tier].nextProbe = min(books.tiers[tier].nextProbe, next)
            guard books.tiers[tier].successes >= books.hysteresis.successes,
                now >= books.tiers[tier].since.advanced(by: books.tiers[tier].dwell)
            else { return false }
            books.tiers[tier].isOut = false
            misses[tier].store(0, ordering: .relaxed)
            returns[tier].store(now.nanoseconds, ordering: .relaxed)
            return change(&books, tier, isOut: false, .completed, at: now)
        }
        if isTelling { tell() }
    }

    /// A call that came to the tier at `began` was not served; one from before the tier came back says nothing of it since.
    func missed(_ tier: Int, _ reason: Reason, _ cause: Outcome.Cause, since began: Instant, at now: Instant) {
        let returned = Instant(nanoseconds: returns[tier].load(ordering: .relaxed))
        guard began >= returned else { return }
        // Breakers let only a few through until they have closed, which is no new trouble: that shows in calls that fail.
        if reason == .breakerOpen, returned.nanoseconds != .min,
            now < returned.advanced(by: books.withLock { $0.tiers[tier].dwell })
        {
            return
        }
        let row = misses[tier].wrappingAdd(1, ordering: .relaxed).newValue
        let isOut = out.load(ordering: .relaxed) & 1 << UInt64(tier) != 0
        guard isOut || row >= limit.load(ordering: .relaxed) else { return }
        let isTelling = books.withLock { books in
            let rules = books.hysteresis
            if books.tiers[tier].isOut {
                if began >= books.tiers[tier].since { books.tiers[tier].successes = 0 }
                return false
            }
            guard misses[tier].load(ordering: .relaxed) >= rules.misses else { return false }
            var state = books.tiers[tier]
            let again = returned.nanoseconds != .min && now < returned.advanced(by: state.dwell)
            state.dwell = again ? min(state.dwell * 2, rules.maximumDwell) : rules.dwell
            state.isOut = true
            state.cause = cause
            state.successes = 0
            state.unanswered = 0
            state.since = now
            state.nextProbe = now.advanced(by: rules.probeEvery)
            books.tiers[tier] = state
            return change(&books, tier, isOut: true, reason, at: now)
        }
        if isTelling { tell() }
    }

    /// Publishes who is out; true when the caller must tell of it.
    private func change(
        _ books: inout Books, _ tier: Int, isOut: Bool, _ reason: Reason, at now: Instant
    ) -> Bool {
        let before = out.load(ordering: .relaxed), bit: UInt64 = 1 << UInt64(tier)
        let after = isOut ? before | bit : before & ~bit
        out.store(after, ordering: .relaxed)
        let from = level(before), to = level(after)
        guard from != to else { return false }
        let change = ModeChange(router: router, from: names[from], to: names[to], reason: reason, at: now)
        if books.changes.count == Self.kept { books.changes.removeFirst() }
        books.changes.append(change)
        guard observer != nil else { return false }
        books.untold.append(change)
        if books.isTelling { return false }
        books.isTelling = true
        return true
    }

    /// Tells of changes in their order, outside of the lock; one caller at a time.
    private func tell() {
        while true {
            let next = books.withLock { books -> ModeChange? in
                guard !books.untold.isEmpty else {
                    books.isTelling = false
                    return nil
                }
                return books.untold.removeFirst()
            }
            guard let next else { return }
            observer?.changed(Transition(gate: router, from: next.from, to: next.to, at: next.at))
        }
    }
}
