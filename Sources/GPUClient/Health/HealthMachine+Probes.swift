internal import SpillwayCore

/// A probe that is under way.
struct ProbeLease {
    let number: UInt64
    let until: Int64
    /// Whether the phase has changed since, so that its result says nothing.
    var isStale = false
}

extension HealthMachine {
    /// What a probe asks in this phase: whoever gets no calls anyway need not make a token.
    var probeKind: Probe.Kind { phase == .dead || phase == .draining ? .liveness : .generation }

    /// When to probe next; while a probe is under way, when it is taken as lost.
    var nextProbe: Int64 { probe?.until ?? due }

    /// How it refuses a probe when it serves another model now, or other people.
    private static let misfits: [Outcome.Cause] = [.invalidRequest, .authentication, .contextTooLong]

    /// Begins the probe that is due; nil: none is, or one is under way.
    mutating func beginProbe(at now: Int64) -> Probe? {
        pass(to: now)
        guard probe == nil, latest >= due else { return nil }
        lastProbe += 1
        let until = latest.adding(configuration.probeLease.clampedNanoseconds)
        probe = ProbeLease(number: lastProbe, until: until)
        return Probe(
            kind: probeKind, firstToken: configuration.firstToken, until: Instant(nanoseconds: until),
            number: lastProbe)
    }

    /// Ends a probe that was not made.
    mutating func abandon(_ number: UInt64, at now: Int64) {
        pass(to: now)
        if probe?.number == number { probe = nil }
    }

    /// Counts what a probe found, unless it is late.
    mutating func probed(_ number: UInt64, _ result: ProbeResult, at now: Int64) {
        pass(to: now)
        guard let lease = probe, lease.number == number else { return }
        probe = nil
        guard !lease.isStale else { return }
        switch result.finding {
        case .silent: missed(isSilent: true, isHung: false)
        case .alive: answered()
        case .failed(let cause):
            if cause.speaksAgainstTarget || Self.misfits.contains(cause) {
                missed(isSilent: false, isHung: cause == .timeout)
            } else {
                answered()
            }
        case .generated(let firstToken, let kvUse): generated(firstToken, kvUse)
        }
    }

    /// A probe that nobody ended in time is lost: the next may begin, and nobody answered this one.
    mutating func expireProbe() {
        guard let lease = probe, lease.until <= latest else { return }
        probe = nil
        if !lease.isStale { missed(isSilent: true, isHung: true) }
    }

    /// Somebody answers; of readiness nothing is known.
    private mutating func answered() {
        silences = 0
        if phase == .dead { return restart(.alive) }
        wasAlive = true
        postpone()
    }

    private mutating func generated(_ firstToken: Duration, _ kvUse: Double?) {
        guard phase != .dead, phase != .draining else { return answered() }
        if firstToken > configuration.firstToken { return missed(isSilent: false, isHung: true) }
        let line = phase == .degraded ? configuration.safeLine : configuration.dangerLine
        if let kvUse, kvUse >= line { return missed(isSilent: false, isHung: false, isFull: true) }
        silences = 0
        misses = 0
        tokenless = 0
        wasAlive = true
        // Nobody knows whether it has room again: it may have, some time after.
        let isKnown = kvUse.map { $0 >= 0 } ?? false
        if phase == .degraded, reason == .memory, !isKnown,
            latest.since(changedAt) < configuration.maximumInterval.clampedNanoseconds
        {
            return postpone()
        }
        goods = min(goods + 1, neededProbes)
        if phase != .ready, goods == neededProbes, vetoes.isEmpty { return makeReady() }
        postpone()
    }

    /// The probe made no token, or too late, or with no memory left for more.
    private mutating func missed(isSilent: Bool, isHung: Bool, isFull: Bool = false) {
        silences = isSilent ? min(silences + 1, 1_000) : 0
        if !isSilent { wasAlive = true }
        misses = min(misses + 1, 1_000)
        tokenless = isFull ? 0 : min(tokenless + 1, 1_000)
        goods = 0
        isConfirmed = true
        let isGone = silences >= configuration.silences
        switch phase {
        case .dead:
            // An answer of any kind is an answer.
            if !isSilent { return restart(.alive) }
        case .starting where wasAlive && isGone, .degraded where isGone, .draining where isGone:
            return change(to: .dead, .unreachable)
        case .ready:
            if isGone { return change(to: .dead, .unreachable) }
            if isHung || isFull { return degrade(isFull ? .memory : .hung) }
            if misses >= configuration.failures { return degrade(.notReady) }
        default: break
        }
        postpone()
    }

    /// Sets when the next probe is due in this phase.
    private mutating func postpone() {
        let most = phase == .dead ? configuration.maximumInterval : configuration.probeInterval
        let least = phase == .dead ? configuration.probeInterval : configuration.verifyInterval
        // A phase that waits for a good probe looks often at first; so does one in which something has just gone wrong.
        let isWaiting = phase != .ready && goods > 0 && goods < neededProbes
        let tries = misses > 0 ? misses : isWaiting ? 1 : 0
        guard tries > 0 else { return due = latest.adding(interval(configuration.probeInterval)) }
        let factor = Int64(1) << Int64(min(tries - 1, 40))
        let (length, overflow) = least.clampedNanoseconds.multipliedReportingOverflow(by: factor)
        due = latest.adding(interval(.nanoseconds(min(overflow ? .max : length, most.clampedNanoseconds))))
    }

    /// The interval, lengthened at random.
    func interval(_ duration: Duration) -> Int64 {
        let length = duration.clampedNanoseconds
        return length.adding(Int64(random.next(through: UInt64(Double(length) * configuration.jitter))))
    }
}
