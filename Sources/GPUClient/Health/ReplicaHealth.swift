public import SpillwayCore
internal import Synchronization

/// Tells a sick replica from a live one, and lets it back little by little.
///
/// What takes it out of use: some calls in a row that fail, or one that hangs, as ``record(_:of:at:)`` and
/// ``hung(_:at:)`` tell; probes that find nobody, no token in time or no room in the KV cache, as ``probed(_:_:at:)`` tells; a
/// veto of its GPU or of a person. Calls only ever make it ``HealthPhase/degraded``: then it is probed at once, and the probe
/// decides. So three unlucky calls cost a healthy replica the time of one probe, and a sick one stays out.
///
/// | from | to | when |
/// |---|---|---|
/// | starting | ready | as many probes in a row as are needed, one as a rule, made a token in time |
/// | starting | dead | it answered, and then some probes in a row found nobody; or nobody answered within the time for a start |
/// | ready | degraded | calls failed in a row; a call or a probe hung; probes failed in a row; the KV cache is full; a veto |
/// | degraded | ready | as from starting, the KV cache has room again, and there is no veto |
/// | ready, degraded, draining | dead | some probes in a row found nobody |
/// | any but dead | draining | ``drain(deadline:at:)`` |
/// | draining | starting | ``undrain(at:)`` |
/// | dead | starting, draining | a probe found somebody; draining if it is still to be drained |
/// | any | dead | ``declareDead(at:)`` |
/// | any | starting, draining | ``restart(at:)`` |
///
/// Calls that began before the last change of phase, or before one that came further, say nothing. A 429, a filter, a wrong
/// request and a cancellation never do. A share of failures with successes between them is for a circuit breaker.
///
/// Nothing here counts calls, so no probe can lose a count. What to do when too many replicas are out at once (Envoy's panic
/// threshold) is for who sees them all: degraded ones still answer, and are the least bad.
///
/// The slow start is Envoy's: a share of max(``Configuration/rampFrom``, (t / ``Configuration/ramp``)^(1 /
/// ``Configuration/aggression``)) at t after it became ready (Envoy documentation, *Slow start mode*).
public final class ReplicaHealth: Sendable {
    private struct Guarded {
        var machine: HealthMachine
        var pending: [Transition] = []
        var isDelivering = false
        var bells: [Doorbell] = []
    }

    /// What observers and reports call the replica.
    public let name: String
    /// The streams that run on it.
    public let streams = StreamRegistry()
    private let observer: (any Observer)?
    private let guarded: Locked<Guarded>
    private let phaseCode = Atomic<UInt64>(0)
    private let vetoed = Atomic<Bool>(false)
    private let lossCount = Atomic<Int>(0)
    private let ramp = RampWords()

    /// The health of a replica that is starting, with a probe due at once.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: When it is taken out of use, and how it comes back.
    ///   - now: When its start began.
    ///   - observer: Told of every change of phase, in order and outside of every lock; nobody by default.
    ///   - random: Where the jitter of the probes comes from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), at now: Instant,
        observer: (any Observer)? = nil, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("ReplicaHealth").name(name)
        try configuration.validate()
        self.name = name
        self.observer = observer
        let machine = HealthMachine(configuration, random: random, at: now.nanoseconds)
        guarded = Locked(Guarded(machine: machine))
        ramp.set(machine)
    }

    /// What it may be used for: one load.
    public var phase: HealthPhase { HealthPhase(code: phaseCode.load(ordering: .acquiring)) }

    /// How often its engine may have lost what it keeps: it was dead, or began anew; one load.
    var losses: Int { lossCount.load(ordering: .relaxed) }

    /// Whether somebody keeps it out of use, whatever its probes say: one load.
    public var isVetoed: Bool { vetoed.load(ordering: .relaxed) }

    /// Whether a call or a probe hung, and two probes since then made no token either.
    var isStuck: Bool {
        phase == .degraded && guarded.withLock { $0.machine.reason == .hung && $0.machine.tokenless > 1 }
    }

    /// The part of its share of calls that it is to get at `now`, from 0 to 1; 0 unless it is ready.
    ///
    /// Two loads once it has warmed up.
    public func share(at now: Instant) -> Double {
        phaseCode.load(ordering: .acquiring) == HealthPhase.ready.code ? ramp.share(at: now.nanoseconds) : 0
    }

    /// Notes that the first content of a stream has come: what began before it and has none says nothing any more.
    ///
    /// It is told beside the end, so that streams which break off after their beginning are failures in a row too.
    public func firstContent(of stream: StreamID, at now: Instant) {
        step { $0.spoke(stream.number, at: now.nanoseconds) }
    }

    /// Counts how a call ended.
    ///
    /// Failures are in a row if the calls began one after the other, with none between them that went well or is under way. So
    /// tell every end.
    ///
    /// - Parameters:
    ///   - outcome: How it ended; `Outcome/slow` says neither.
    ///   - stream: What ``StreamRegistry/begin()`` of ``streams`` gave when it was sent.
    ///   - now: The time.
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func record(_ outcome: Outcome, of stream: StreamID, at now: Instant) -> HealthChange? {
        step { $0.record(outcome, of: stream.number, at: now.nanoseconds) }
    }

    /// Counts a call that has had no first content within the limit that its caller set for it; once for each.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func hung(_ stream: StreamID, at now: Instant) -> HealthChange? {
        step { $0.hung(stream.number, at: now.nanoseconds) }
    }

    /// When to call ``beginProbe(at:)`` next, and what it will ask, as things stand at `now`.
    public func nextProbe(at now: Instant) -> NextProbe {
        var next = NextProbe(kind: .generation, at: now)
        step { machine in
            machine.pass(to: now.nanoseconds)
            next = NextProbe(kind: machine.probeKind, at: Instant(nanoseconds: machine.nextProbe))
        }
        return next
    }

    /// Begins the probe that is due; nil: none is, or one is under way.
    ///
    /// There is never more than one. A call of a user may serve as one.
    public func beginProbe(at now: Instant) -> Probe? {
        var probe: Probe?
        step { probe = $0.beginProbe(at: now.nanoseconds) }
        return probe
    }

    /// Has `bell` rung now, and whenever a probe is due sooner than before or the phase has changed, until it is detached.
    ///
    /// So nobody need look every now and then whether that is so.
    package func attach(_ bell: Doorbell) {
        guarded.withLock { $0.bells.append(bell) }
        bell.ring()
    }

    /// Undoes one ``attach(_:)``.
    package func detach(_ bell: Doorbell) {
        guarded.withLock { guarded in
            if let index = guarded.bells.firstIndex(where: { $0 === bell }) { guarded.bells.remove(at: index) }
        }
    }

    /// Counts what a probe found; one that is late, was lost or is told again counts for nothing.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func probed(_ probe: Probe, _ result: ProbeResult, at now: Instant) -> HealthChange? {
        step { $0.probed(probe.number, result, at: now.nanoseconds) }
    }

    /// Ends a probe that could not be made, by no fault of the replica; another one is due.
    public func abandon(_ probe: Probe, at now: Instant) {
        step { $0.abandon(probe.number, at: now.nanoseconds) }
    }

    /// Keeps it out of use until ``lift(_:at:)``, whatever its probes say; replaces a veto of the same source.
    ///
    /// What runs there goes on. A replica that is starting cannot become ready.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func veto(_ veto: HealthVeto, at now: Instant) -> HealthChange? {
        step { $0.veto(veto, at: now.nanoseconds) }
    }

    /// Takes back the veto of a source; the next probe, which is due at once, decides.
    public func lift(_ source: HealthVeto.Source, at now: Instant) {
        step { $0.lift(source, at: now.nanoseconds) }
    }

    /// Gives it no new work from now on.
    ///
    /// What runs may end until `deadline`; then ``StreamRegistry/mustHandOver(at:)`` lists what is left. Draining what is being
    /// drained only moves the deadline.
    ///
    /// - Returns: The report as it begins; ``StreamRegistry/drainReport`` follows it.
    @discardableResult
    public func drain(deadline: Instant, at now: Instant) -> DrainReport {
        var report: DrainReport?
        step { machine in
            machine.drain(at: now.nanoseconds)
            report = streams.drain(deadline: deadline, at: now)
        }
        return report!
    }

    /// Takes a drain back: once a probe has made a token it gets calls again.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func undrain(at now: Instant) -> HealthChange? {
        step { machine in
            machine.undrain(at: now.nanoseconds)
            streams.undrain(at: now)
        }
    }

    /// Takes it for dead at once, as when its machine is known to be gone; a probe that finds somebody starts it again.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func declareDead(at now: Instant) -> HealthChange? {
        step { $0.declareDead(at: now.nanoseconds) }
    }

    /// Begins anew, as when its engine was restarted: it gets no calls until a probe has made a token.
    ///
    /// - Returns: The change of phase, if this made one.
    @discardableResult
    public func restart(at now: Instant) -> HealthChange? {
        step { $0.restart(at: now.nanoseconds) }
    }

    /// The configuration in force.
    public var configuration: Configuration { guarded.withLock { $0.machine.configuration } }

    /// Changes the configuration and keeps the phase, and what was counted.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        guarded.withLock { guarded in
            guarded.machine.configuration = configuration
            ramp.set(guarded.machine)
        }
    }

    /// All there is to say of it at `now`, for a report.
    public func status(at now: Instant) -> HealthStatus {
        let machine = guarded.withLock { $0.machine }
        return HealthStatus(name, machine, share: share(at: now), streams: streams)
    }

    /// Lets `body` happen, publishes what came of it, and then, without the lock, tells of it.
    ///
    /// What readers see without the lock changes only with the phase.
    @discardableResult
    private func step(_ body: (inout HealthMachine) -> Void) -> HealthChange? {
        let (change, delivers, bells) = guarded.withLock { guarded -> (HealthChange?, Bool, [Doorbell]) in
            let due = guarded.machine.nextProbe
            body(&guarded.machine)
            let rings = guarded.machine.nextProbe < due || !guarded.machine.changes.isEmpty
            let isVetoed = !guarded.machine.vetoes.isEmpty
            if vetoed.load(ordering: .relaxed) != isVetoed { vetoed.store(isVetoed, ordering: .relaxed) }
            let losses = guarded.machine.losses
            if lossCount.load(ordering: .relaxed) != losses { lossCount.store(losses, ordering: .relaxed) }
            let (change, delivers) = publish(&guarded)
            return (change, delivers, rings ? guarded.bells : [])
        }
        for bell in bells { bell.ring() }
        if delivers { deliver() }
        return change
    }

    private func publish(_ guarded: inout Guarded) -> (HealthChange?, delivers: Bool) {
        guard !guarded.machine.changes.isEmpty else { return (nil, false) }
        let machine = guarded.machine, first = machine.changes[0], end = machine.changes[machine.changes.count - 1]
        ramp.set(machine)
        phaseCode.store(machine.phase.code, ordering: .releasing)
        guarded.machine.changes = []
        guarded.machine.forget(through: streams.begun)
        streams.isDead(machine.phase == .dead)
        if observer != nil {
            guarded.pending += machine.changes.map { change in
                Transition(
                    gate: name, from: change.from.rawValue, to: change.to.rawValue,
                    at: Instant(nanoseconds: change.at))
            }
        }
        let delivers = !guarded.pending.isEmpty && !guarded.isDelivering
        if delivers { guarded.isDelivering = true }
        let change = HealthChange(
            replica: name, from: first.from, to: end.to, reason: end.reason, at: Instant(nanoseconds: end.at))
        return (change, delivers)
    }

    /// One caller at a time delivers, in order; an observer that causes another change adds to the same queue.
    private func deliver() {
        while true {
            let next = guarded.withLock { guarded -> Transition? in
                guard !guarded.pending.isEmpty else {
                    guarded.isDelivering = false
                    return nil
                }
                return guarded.pending.removeFirst()
            }
            guard let next else { return }
            observer?.changed(next)
        }
    }
}
