internal import SpillwayCore

/// The rules of a replica's health as a pure value: it takes what happened and when.
///
/// The caller holds a lock around it, publishes the phase for readers without a lock, and reports changes after the lock is
/// gone. Times are nanoseconds, and one that goes back counts as the latest that was seen.
struct HealthMachine {
    typealias Configuration = ReplicaHealth.Configuration

    struct Change {
        let from: HealthPhase
        let to: HealthPhase
        let reason: HealthReason
        let at: Int64
    }

    var configuration: Configuration
    let random: RandomSource
    private(set) var phase = HealthPhase.starting
    private(set) var reason = HealthReason.began
    /// How often its engine may have lost what it keeps.
    private(set) var losses = 0
    private(set) var changedAt: Int64
    private(set) var latest: Int64
    /// What has changed since somebody took it from here.
    var changes: [Change] = []
    private(set) var vetoes: [HealthVeto] = []
    private(set) var isDrained = false
    /// When its traffic began to grow.
    private(set) var rampStart: Int64

    /// The calls that failed, in the order in which they began.
    private let calls = CallRow()
    /// How long the row was to which the last call belonged that counted.
    private(set) var row = 0
    /// Whether a call went well to its end since a probe called it ready.
    private var isProven = true
    /// How often in a row it was degraded again before a call succeeded.
    private var relapses = 0

    // The probes; see the extension.
    var probe: ProbeLease?
    var lastProbe: UInt64 = 0
    var due: Int64
    /// Probes in a row that made no token, in this phase.
    var misses = 0
    /// Probes in a row that made no token, whatever of memory, in this phase.
    var tokenless = 0
    /// Probes in a row that nobody answered.
    var silences = 0
    /// Probes in a row that made a token, in this phase.
    var goods = 0
    /// Whether a probe was answered in this phase.
    var wasAlive = false
    /// Whether it was out of use for something that a probe confirmed.
    var isConfirmed = true

    init(_ configuration: Configuration, random: RandomSource, at now: Int64) {
        self.configuration = configuration
        self.random = random
        changedAt = now
        latest = now
        due = now
        rampStart = now
    }

    /// The good probes in a row that make it ready.
    ///
    /// One suffices at first. If a call must then fail again before one has succeeded, the probe has missed what is wrong: then
    /// it takes 2, 4, 8.
    var neededProbes: Int { 1 << relapses }

    /// Lets time pass: a probe may be lost, and a start may have taken too long.
    mutating func pass(to now: Int64) {
        latest = max(latest, now)
        expireProbe()
        if phase == .starting, !wasAlive, latest.since(changedAt) >= configuration.startLimit.clampedNanoseconds {
            change(to: .dead, .startLimit)
        }
    }

    /// Notes that the first content of a call has come, if it began in this phase.
    mutating func spoke(_ call: UInt64, at now: Int64) {
        pass(to: now)
        if phase == .ready { calls.spoke(call) }
    }

    /// Counts how a call ended, if it began in this phase.
    mutating func record(_ outcome: Outcome, of call: UInt64, at now: Int64) {
        pass(to: now)
        guard phase == .ready else { return }
        switch outcome.verdict {
        case .success where outcome.cause != .slow:
            guard calls.succeeded(call) else { return }
            isProven = true
            row = 0
        // A quota or a filter speaks against nobody, even where a classifier calls it a failure.
        case .failure where outcome.cause.speaksAgainstTarget:
            guard calls.counts(call) else { return }
            row = calls.failed(call)
            if row >= configuration.failures { degrade(.failures) }
        default: calls.skip(call)
        }
    }

    /// Counts a call that has had no first content for too long.
    mutating func hung(_ call: UInt64, at now: Int64) {
        pass(to: now)
        if phase == .ready, calls.counts(call) { degrade(.hung) }
    }

    /// Forgets the calls that began before the phase changed, of which this was the last.
    mutating func forget(through call: UInt64) {
        calls.forget(through: call)
        row = 0
    }

    /// Takes it out of use until a probe says more, which is made at once.
    mutating func degrade(_ reason: HealthReason) {
        relapses = isProven ? 0 : min(relapses + 1, 3)
        change(to: .degraded, reason)
        isConfirmed = relapses > 0 || reason == .veto
    }

    /// Gives it calls again.
    mutating func makeReady() {
        // A false alarm costs the time of one probe, and not a new ramp.
        let wasDegraded = phase == .degraded, resumes = wasDegraded && !isConfirmed
        change(to: .ready, .probed)
        if !resumes { rampStart = latest }
        isProven = !wasDegraded
    }

    mutating func veto(_ veto: HealthVeto, at now: Int64) {
        pass(to: now)
        vetoes.removeAll { $0.source == veto.source }
        vetoes.append(veto)
        if phase == .ready { degrade(.veto) }
        isConfirmed = true
    }

    mutating func lift(_ source: HealthVeto.Source, at now: Int64) {
        pass(to: now)
        guard vetoes.contains(where: { $0.source == source }) else { return }
        vetoes.removeAll { $0.source == source }
        if vetoes.isEmpty, phase == .degraded || phase == .starting { due = latest }
    }

    mutating func drain(at now: Int64) {
        pass(to: now)
        isDrained = true
        if phase != .draining, phase != .dead { change(to: .draining, .byHand) }
    }

    mutating func undrain(at now: Int64) {
        pass(to: now)
        isDrained = false
        guard phase == .draining else { return }
        restart(.byHand)
        wasAlive = true
    }

    mutating func declareDead(at now: Int64) {
        pass(to: now)
        if phase != .dead { change(to: .dead, .byHand) }
    }

    /// Begins anew, as after a restart of its engine.
    mutating func restart(at now: Int64) {
        pass(to: now)
        losses += 1
        restart(.byHand)
    }

    /// Somebody answers, who has yet to show that it works.
    mutating func restart(_ reason: HealthReason) {
        if isDrained {
            if phase != .draining { change(to: .draining, reason) }
        } else {
            change(to: .starting, reason)
            due = latest
            silences = 0
        }
        isConfirmed = true
        wasAlive = reason == .alive
    }

    mutating func change(to next: HealthPhase, _ reason: HealthReason) {
        if next == .dead { losses += 1 }
        if next != phase { changes.append(Change(from: phase, to: next, reason: reason, at: latest)) }
        phase = next
        self.reason = reason
        changedAt = latest
        misses = 0
        tokenless = 0
        goods = 0
        wasAlive = false
        probe?.isStale = true
        due = next == .degraded ? latest : latest.adding(interval(configuration.probeInterval))
    }
}

extension Int64 {
    func adding(_ nanoseconds: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(nanoseconds)
        return overflow ? .max : sum
    }

    /// How long after `earlier`, which is no later.
    func since(_ earlier: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(earlier)
        return overflow ? .max : difference
    }
}
