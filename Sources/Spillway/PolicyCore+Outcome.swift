internal import Retrying
internal import SpillwayCore

extension PolicyCore {
    /// Settles the attempt that ran in the task of the call.
    @usableFromInline
    func settle(_ outcome: Outcome, _ flow: inout Flow) {
        let outcome = weighed(outcome, flow.watch), now = now
        flow.permits.settle(outcome, at: now)
        flow.record?.attempts.append(
            CallReport.AttemptRecord(
                target: name(of: flow.target), number: flow.number, started: flow.started,
                firstContent: flow.watch?.firstContent, ended: now, outcome: outcome))
        note(outcome, at: now, target: flow.target, flow.watch, &flow)
    }

    /// The first leg of an attempt, which takes over what gates gave.
    @usableFromInline
    func legs(_ call: Call, _ flow: inout Flow) -> Legs {
        defer { flow.permits = PermitStack() }
        return Legs(leg(0, call, &flow))
    }

    /// An attempt that runs in a task of its own, with what gates have given to `flow`.
    func leg(_ hedge: Int, _ call: Call, _ flow: inout Flow) -> Leg {
        var attempt = Attempt(
            number: flow.number, hedge: hedge, call: call, started: flow.started, deadline: flow.deadline,
            target: name(of: flow.target))
        if isMetered { attempt.usage = AttemptMeter(flow.permits.metered, time) }
        let enforced = flow.isDeadlineCooperative ? nil : flow.deadline
        let watch = AttemptWatch(
            plan.timeout, deadline: enforced, streams: call.streams, time: time, at: flow.started)
        return Leg(attempt, watch, target: flow.target, flow.permits)
    }

    /// Settles a leg, in its own task.
    @usableFromInline
    func settle(_ outcome: Outcome, _ leg: Leg) {
        let outcome = weighed(outcome, leg.watch), now = now
        leg.permits.settle(outcome, at: now)
        leg.settled = (outcome, now)
    }

    /// What gates are told: a success that was slower than wanted is a slow one.
    @inline(__always)
    private func weighed(_ outcome: Outcome, _ watch: AttemptWatch?) -> Outcome {
        guard let slow = plan.slow, outcome == .success, watch?.isSlow(slow) == true else { return outcome }
        return .slow
    }

    /// Takes note of what legs that have all ended came to.
    @usableFromInline
    func gather(_ legs: Legs, _ flow: inout Flow) {
        for leg in legs.all {
            guard let (outcome, ended) = leg.settled else { continue }
            flow.record?.attempts.append(
                CallReport.AttemptRecord(
                    target: name(of: leg.target), number: flow.number, hedge: leg.attempt.hedge,
                    started: leg.attempt.started, firstContent: leg.watch.firstContent, ended: ended,
                    outcome: outcome))
            note(outcome, at: ended, target: leg.target, leg.watch, &flow)
        }
    }

    /// Remembers what an attempt means for the ones after it.
    private func note(_ outcome: Outcome, at now: Instant, target: Int, _ watch: AttemptWatch?, _ flow: inout Flow) {
        flow.target = -1
        if case .final? = watch?.commitment { flow.isCommitted = true }
        guard outcome.verdict != .success, outcome.cause != .cancelled else { return }
        if target >= 0 {
            flow.failed |= 1 << UInt64(target)
            // One that was silent would cost as much time again; one that could not go on with an answer cannot now.
            if [.timeout, .truncated].contains(outcome.cause) { flow.barred |= 1 << UInt64(target) }
        }
        if let hint = outcome.retryAfter { flow.heldUntil = max(flow.heldUntil, now.advanced(by: hint)) }
    }

    /// Decides after an attempt that ended with `outcome` whether there is another.
    ///
    /// Nil: there is; wait for `flow.wait` first.
    @usableFromInline
    func resolve(_ outcome: Outcome, _ call: Call, _ flow: inout Flow) -> Reason? {
        if outcome.cause == .cancelled { return .cancelled }
        // Another attempt would repeat what was passed on, or contradict it.
        if flow.isCommitted { return .notRetryable }
        if !places.isEmpty, flow.barred.nonzeroBitCount == places.count { return .noTarget }
        let now = now
        // What one target asked for does not hold up another, as long as there is one that has not failed.
        let elsewhere = flow.failed.nonzeroBitCount < places.count
        let pause = elsewhere || flow.heldUntil <= now ? nil : now.duration(to: flow.heldUntil)
        return decide(.of(outcome.cause, retryAfter: pause), call, &flow, at: now)
    }

    /// Decides after a rejection whether to come back later.
    @usableFromInline
    func reconsider(_ rejection: Rejection, _ call: Call, _ flow: inout Flow) -> Reason? {
        decide(.neutral(.rejected, retryAfter: rejection.retryAfter), call, &flow, at: flow.started)
    }

    private func decide(_ outcome: Outcome, _ call: Call, _ flow: inout Flow, at now: Instant) -> Reason? {
        guard let retry = plan.retry else { return .notRetryable }
        let decision = retry.decide(
            after: outcome, attempt: flow.number, previous: flow.wait, idempotency: call.idempotency,
            deadline: flow.latest, budgets: flow.budgets, at: now)
        switch decision {
        case .giveUp(let reason): return reason
        case .retry(let nanoseconds):
            flow.wait = nanoseconds
            return nil
        }
    }
}
