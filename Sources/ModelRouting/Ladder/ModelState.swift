internal import SpillwayCore
internal import Synchronization

/// What is known of a model: words that are read without a lock.
///
/// They need not fit together: a choice made on a count that is one behind is as good.
final class ModelState: GateState, @unchecked Sendable {
    private let calls = Atomic<Int>(0)
    /// Nanoseconds; 0: no answer yet.
    private let mean = Atomic<Int64>(0)
    private let renewed = Atomic<Int64>(0)
    private let failures = Atomic<Int>(0)
    private let cooled = Atomic<Int64>(.min)
    // When the latest attempt that succeeded began, and when the last that counts failed. What began before either says nothing
    // of the model since: a call that hung through an outage times out long after it.
    private let wellSince = Atomic<Int64>(.min)
    private let failedAt = Atomic<Int64>(.min)
    /// What it failed with last.
    private let fault = Atomic<UInt8>(0)
    /// Until when it wants to be left alone, as it said itself.
    private let paused = Atomic<Int64>(.min)
    // Written before the state is shared.
    private var isFleet = false
    private var failuresToCool = 3
    private var cooldown: Int64 = 0
    private var maximumCooldown: Int64 = 0

    /// In what time a mean that nobody renews falls by half, in nanoseconds.
    private static let halfLife: Int64 = 10_000_000_000

    func begin(_ configuration: Model.Configuration) {
        isFleet = configuration.isFleet
        failuresToCool = configuration.failuresToCool
        cooldown = configuration.cooldown.clampedNanoseconds
        maximumCooldown = configuration.maximumCooldown.clampedNanoseconds
        calls.store(0, ordering: .relaxed)
        mean.store(0, ordering: .relaxed)
        failures.store(0, ordering: .relaxed)
        cooled.store(.min, ordering: .relaxed)
        wellSince.store(.min, ordering: .relaxed)
        failedAt.store(.min, ordering: .relaxed)
        paused.store(.min, ordering: .relaxed)
    }

    var inFlight: Int { max(0, calls.load(ordering: .relaxed)) }
    var lastFault: Outcome.Cause { Outcome.Cause(fault.load(ordering: .relaxed)) }
    var pausedUntil: Int64 { paused.load(ordering: .relaxed) }
    var cooledUntil: Int64 { max(cooled.load(ordering: .relaxed), pausedUntil) }

    func latency(at now: Instant) -> Int64 {
        let known = mean.load(ordering: .relaxed)
        guard known > 0 else { return 0 }
        let age = now.nanoseconds.subtractingReportingOverflow(renewed.load(ordering: .relaxed)).partialValue
        guard age > 0 else { return known }
        let halves = age / Self.halfLife
        // Straight lines between the halves.
        let rest = Double(age % Self.halfLife) / Double(Self.halfLife)
        return halves > 62 ? 1 : max(1, Int64(Double(known >> halves) * (1 - rest / 2)))
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        calls.wrappingAdd(1, ordering: .relaxed)
        return Permit(
            RawPermit(state: .passUnretained(self), token: call.streams ? 1 : 0, admitted: now, cost: 0, life: life))
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        settle(permit, outcome, Measurements(), at: now)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        // Of an earlier model.
        guard permit.life == life else { return }
        calls.wrappingSubtract(1, ordering: .relaxed)
        guard let outcome else { return }
        let took = permit.admitted.duration(to: now).clampedNanoseconds
        if outcome.verdict != .success { fault.store(outcome.cause.code, ordering: .relaxed) }
        switch outcome.verdict {
        case .success:
            // What a whole stream took tells how long the answer was, not how slow the model.
            if let first = measured.firstContent {
                learn(first.clampedNanoseconds, at: now)
            } else if permit.token == 0 {
                learn(took, at: now)
            }
            wellSince.max(permit.admitted.nanoseconds, ordering: .relaxed)
            if failures.load(ordering: .relaxed) != 0 { failures.store(0, ordering: .relaxed) }
            if cooled.load(ordering: .relaxed) != .min,
                permit.admitted.nanoseconds >= failedAt.load(ordering: .relaxed)
            {
                cooled.store(.min, ordering: .relaxed)
            }
        case .failure:
            // At least so long.
            if outcome.cause == .timeout { learn(max(took, mean.load(ordering: .relaxed)), at: now) }
            guard permit.admitted.nanoseconds >= wellSince.load(ordering: .relaxed) else { break }
            failedAt.max(now.nanoseconds, ordering: .relaxed)
            let extra = failures.wrappingAdd(1, ordering: .relaxed).newValue - failuresToCool
            if extra >= 0 {
                let (grown, overflow) = cooldown.multipliedReportingOverflow(by: 1 << Int64(min(extra, 30)))
                let rest = overflow ? maximumCooldown : min(grown, maximumCooldown)
                // Never shorter than what was said before.
                cooled.max(now.advanced(by: .nanoseconds(rest)).nanoseconds, ordering: .relaxed)
            }
        case .neutral where !isFleet:
            switch outcome.cause {
            case .rateLimited where outcome.retryAfter == nil: pause(.nanoseconds(cooldown), at: now)
            case .quotaExhausted, .authentication: pause(.nanoseconds(maximumCooldown), at: now)
            default: break
            }
        case .neutral: break
        }
        // What a replica of a fleet says is of itself; the fleet has refused when none takes the call.
        if outcome.verdict != .success, !isFleet || outcome.cause == .rejected, let hint = outcome.retryAfter {
            pause(hint, at: now)
        }
    }

    /// It wants to be left alone.
    private func pause(_ rest: Duration, at now: Instant) {
        paused.max(now.advanced(by: rest).nanoseconds, ordering: .relaxed)
    }

    private func learn(_ nanoseconds: Int64, at now: Instant) {
        let known = latency(at: now), sample = max(1, nanoseconds)
        mean.store(known == 0 ? sample : max(1, known + (sample - known) / 10), ordering: .relaxed)
        renewed.store(now.nanoseconds, ordering: .relaxed)
    }
}
