internal import SpillwayCore

/// The line, and who is trying: what the lock of a queue guards.
///
/// One call at a time tries: the one whose turn it is. When gates refuse it, it waits for the next place that is freed; when
/// they let it through, the next one tries. So a place that is freed wakes one call and not all.
struct QueueState {
    /// What has become of a call that waited.
    enum Verdict: Sendable {
        /// It may try.
        case turn
        case refused(Reason)
        case cancelled
    }

    /// What a call that waits is told, and how.
    private struct Seat {
        var verdict: Verdict?
        var continuation: UnsafeContinuation<Verdict, Never>?
        var isCancelled = false
    }

    /// What is to be done when the lock is gone.
    struct Effects {
        fileprivate(set) var resumed: [(UnsafeContinuation<Verdict, Never>, Verdict)] = []
        fileprivate(set) var order: WantedAlarm.Order?
        /// Alarms that are to be taken back.
        fileprivate(set) var old: [WantedAlarm.Clock] = []
    }

    var configuration: FairQueue.Configuration {
        didSet { shape(from: oldValue) }
    }
    var line = WaitingLine()
    private var seats: [Seat] = []
    private var codel: CoDel?
    /// Who tries; −1: nobody.
    private var trying = -1
    /// No call has waited for too long before this; not looked at more often than that.
    private var earliest = Instant.distantFuture
    /// When whoever waits tries again even if no place was freed meanwhile; nil: nobody was refused.
    private var recheck: Instant?
    var alarm = WantedAlarm()
    var effects = Effects()
    /// What the alarm rings by, and where its task runs.
    var time: any TimeSource = SystemTime()
    var executor: (any TaskExecutor)?

    init(_ configuration: FairQueue.Configuration) {
        self.configuration = configuration
        shape(from: nil)
    }

    private mutating func shape(from old: FairQueue.Configuration?) {
        guard old?.discard != configuration.discard else { return }
        codel =
            if case .codel(let target, let interval) = configuration.discard {
                CoDel(target: target, interval: interval)
            } else {
                nil
            }
    }

    private var patience: Int64 {
        if case .adaptiveLIFO(let after) = configuration.order { after.clampedNanoseconds } else { .max }
    }

    // MARK: - Coming

    /// A call joins; nil when it may not.
    mutating func join(_ call: Call, _ criticality: Criticality, until latest: Instant, at now: Instant) -> Int? {
        let key = call.key ?? "", weight = configuration.weight(key)
        if line.count >= configuration.capacity, earliest <= now { dropExpired(at: now) }
        if line.count >= configuration.capacity {
            let victim = line.victim(newestFirstAfter: patience, newcomer: (key, weight, criticality), at: now)
            guard let victim, victim != trying else { return nil }
            tell(victim, .refused(.queueFull))
        }
        let id = line.add(
            key, weight: weight, criticality, cost: configuration.cost(of: call), since: now, latest: latest)
        if id == seats.count { seats.append(Seat()) } else { seats[id] = Seat() }
        earliest = min(earliest, latest)
        wantAlarm(by: latest)
        return id
    }

    /// A call that has joined tries at once when a place was freed since it tried, or it is first in line and has not tried.
    ///
    /// - Parameter retry: When to try again, for one that has tried; nil: it has not.
    mutating func welcome(_ id: Int, hasMissed: Bool, until retry: Instant?, at now: Instant) {
        if hasMissed { return handTurn(at: now) }
        guard trying < 0, line.next(newestFirstAfter: patience, at: now) == id else { return }
        guard let retry else { return handTurn(at: now) }
        recheck = min(recheck ?? retry, retry)
        wantAlarm(by: retry)
    }

    /// A call waits for its verdict; returns it when it is there.
    mutating func park(_ id: Int, _ continuation: UnsafeContinuation<Verdict, Never>, at now: Instant) -> Verdict? {
        if let verdict = seats[id].verdict.take() { return verdict }
        if seats[id].isCancelled {
            line.remove(id, letThrough: false)
            handTurn(at: now)
            return .cancelled
        }
        seats[id].continuation = continuation
        return nil
    }

    /// A call whose turn it was has been let through, or goes away; the next one tries.
    mutating func leave(_ id: Int, letThrough: Bool, at now: Instant) {
        line.remove(id, letThrough: letThrough)
        line.free(id)
        if trying == id {
            trying = -1
            handTurn(at: now)
        }
        if line.count == 0, let old = alarm.drop() { effects.old.append(old) }
    }

    /// A call whose turn it was has been refused: it goes on waiting.
    ///
    /// - Parameter hasMissed: Whether a place was freed after it had begun to try.
    mutating func stay(_ id: Int, hasMissed: Bool, until retry: Instant, at now: Instant) {
        guard trying == id else { return }
        trying = -1
        if hasMissed { return handTurn(at: now) }
        recheck = retry
        wantAlarm(by: min(retry, line.places[id].latest))
    }

    // MARK: - Turns

    /// The next call may try, unless one is trying.
    mutating func handTurn(at now: Instant) {
        guard trying < 0 else { return }
        recheck = nil
        while let next = line.next(newestFirstAfter: patience, at: now) {
            if line.places[next].latest <= now {
                tell(next, .refused(.queuedTooLong))
            } else if codel?.drops(after: line.places[next].age(at: now), at: now.nanoseconds) == true,
                let victim = line.victim(newestFirstAfter: 0, newcomer: nil, at: now)
            {
                tell(victim, .refused(.loadShed))
            } else {
                trying = next
                return say(.turn, to: next)
            }
        }
    }

    /// The caller of a call that waits has gone.
    mutating func cancel(_ id: Int, at now: Instant) {
        guard seats[id].verdict == nil || trying == id else { return }
        guard seats[id].continuation != nil else {
            // It is on its way to its seat, or trying.
            seats[id].isCancelled = true
            return
        }
        tell(id, .cancelled)
        // Whoever is first now may ask for less.
        handTurn(at: now)
    }

    /// The alarm rang; it may be one that is not wanted any more.
    mutating func ring(_ number: UInt64?, at now: Instant) {
        guard number.map({ $0 == alarm.number }) ?? (alarm.due.map { $0 <= now } ?? false) else { return }
        _ = alarm.drop()
        let hasDropped = dropExpired(at: now)
        if hasDropped || recheck.map({ $0 <= now }) == true { handTurn(at: now) }
        var due = recheck
        for id in line.waiting where id != trying { due = min(due ?? .distantFuture, line.places[id].latest) }
        if let due { wantAlarm(by: due) }
    }

    @discardableResult
    private mutating func dropExpired(at now: Instant) -> Bool {
        var hasDropped = false
        earliest = .distantFuture
        for id in line.waiting {
            if id == trying || line.places[id].latest > now {
                earliest = min(earliest, line.places[id].latest)
            } else {
                tell(id, .refused(.queuedTooLong))
                hasDropped = true
            }
        }
        return hasDropped
    }

    /// Takes a call out of the line and says why.
    private mutating func tell(_ id: Int, _ verdict: Verdict) {
        line.remove(id, letThrough: false)
        say(verdict, to: id)
    }

    private mutating func say(_ verdict: Verdict, to id: Int) {
        if let continuation = seats[id].continuation.take() {
            effects.resumed.append((continuation, verdict))
        } else {
            seats[id].verdict = verdict
        }
    }

    private mutating func wantAlarm(by due: Instant) {
        guard let order = alarm.want(due) else { return }
        effects.order = order
        if let old = order.old { effects.old.append(old) }
    }
}
