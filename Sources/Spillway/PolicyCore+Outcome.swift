internal import Admission
internal import ModelRouting
internal import Retrying
internal import SpillwayCore

extension PolicyCore {
    /// Settles the attempt that ran in the task of the call.
    @usableFromInline
    func settle(_ outcome: Outcome, _ flow: inout Flow) {
        let outcome = weighed(outcome, flow.watch), now = now
        settle(&flow.permits, outcome, flow.watch, flow.meter, flow.charge, at: now)
        flow.record?.attempts.append(
            CallReport.AttemptRecord(
                target: name(of: flow.target), replica: flow.replica?.name, number: flow.number, started: flow.started,
                firstContent: flow.watch?.firstContent, ended: now, outcome: outcome))
        let took = flow.watch.map { $0.firstContent.map(flow.started.duration(to:)) } ?? flow.started.duration(to: now)
        note(outcome, at: now, target: flow.target, began: flow.started, took: took, flow.watch, flow.meter, &flow)
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
            number: flow.number, hedge: hedge, call: own(call, at: flow.target), started: flow.started,
            deadline: flow.deadline, target: name(of: flow.target), mode: flow.walk.mode)
        if let steps = flow.walk.steps { attempt.steps = steps }
        attempt.isLast = isLast(flow)
        let meter = isMetered ? AttemptMeter(flow.permits, time) : nil
        attempt.usage = meter
        if flow.record != nil { attempt.replica = ReplicaNote() }
        let enforced = flow.isDeadlineCooperative ? nil : flow.deadline
        let watch = AttemptWatch(
            timeout(at: flow.target), deadline: enforced, streams: call.streams, time: time, at: flow.started)
        return Leg(attempt, watch, target: flow.target, flow.permits, meter, flow.charge)
    }

    /// Limits on the time of an attempt there.
    private func timeout(at target: Int) -> AttemptTimeout? {
        target < 0 ? plan.timeout : plan.router?.timeout(at: target) ?? plan.timeout
    }

    /// Settles a leg, in its own task.
    @usableFromInline
    func settle(_ outcome: Outcome, _ leg: Leg) {
        let outcome = weighed(outcome, leg.watch), now = now
        let watch = leg.attempt.call.streams ? leg.watch : nil
        settle(&leg.permits, outcome, watch, leg.meter, leg.charge, at: now)
        leg.settled = (outcome, now)
    }

    /// Settles with what is known of the attempt; most often that is the outcome alone.
    @inline(__always)
    private func settle(
        _ permits: inout PermitStack, _ outcome: Outcome, _ watch: AttemptWatch?, _ meter: AttemptMeter?,
        _ charge: FairQueue.Charge?, at now: Instant
    ) {
        if watch == nil, meter == nil {
            permits.settle(outcome, at: now)
        } else {
            settleMeasured(&permits, outcome, watch, meter, charge, at: now)
        }
        plan.queue?.free(at: now)
    }

    @inline(never)
    private func settleMeasured(
        _ permits: inout PermitStack, _ outcome: Outcome, _ watch: AttemptWatch?, _ meter: AttemptMeter?,
        _ charge: FairQueue.Charge?, at now: Instant
    ) {
        var measured = watch?.measurements ?? Measurements()
        measured.usage = meter?.usage
        permits.settle(outcome, measured, at: now)
        if let usage = measured.usage, let charge { plan.queue?.settle(charge, usedTokens: usage.tokens) }
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
                    target: name(of: leg.target), replica: leg.attempt.replica?.name, number: flow.number,
                    hedge: leg.attempt.hedge, started: leg.attempt.started, firstContent: leg.watch.firstContent,
                    ended: ended,
                    outcome: outcome))
            let began = leg.attempt.started
            let took =
                leg.attempt.call.streams
                ? leg.watch.firstContent.map(began.duration(to:)) : began.duration(to: ended)
            note(outcome, at: ended, target: leg.target, began: began, took: took, leg.watch, leg.meter, &flow)
        }
    }

    /// Remembers what an attempt means for the ones after it.
    private func note(
        _ outcome: Outcome, at now: Instant, target: Int, began: Instant, took: Duration?, _ watch: AttemptWatch?,
        _ meter: AttemptMeter?,
        _ flow: inout Flow
    ) {
        defer { flow.target = -1 }
        if target >= 0, let router = plan.router {
            router.learn(outcome, at: target, &flow.walk, since: began, took: took, usage: meter?.usage, now: now)
        }
        if case .final? = watch?.commitment { flow.isCommitted = true }
        guard outcome.verdict != .success, outcome.cause != .cancelled else { return }
        if target >= 0 {
            flow.last = target
            flow.walk.failed |= 1 << UInt64(target)
            // One that was silent would cost as much time again; one that could not go on with an answer cannot now.
            if !isFleet(target), [.timeout, .truncated].contains(outcome.cause) {
                flow.walk.barred |= 1 << UInt64(target)
            }
        }
        // What a replica of a fleet says is of itself; the fleet has refused when none takes the call.
        let isOfReplica = target >= 0 && isFleet(target) && outcome.cause != .rejected
        if !isOfReplica, let hint = outcome.retryAfter { flow.heldUntil = max(flow.heldUntil, now.advanced(by: hint)) }
    }

    /// Whether a target stands for several.
    private func isFleet(_ target: Int) -> Bool {
        plan.router.map { $0.places[target].model?.configuration.isFleet == true } ?? places[target].isFleet
    }

    /// Decides after an attempt that ended with `outcome` whether there is another.
    ///
    /// Nil: there is; wait for `flow.wait` first.
    @usableFromInline
    func resolve(_ outcome: Outcome, _ call: Call, _ flow: inout Flow) -> Reason? {
        if outcome.cause == .cancelled { return .cancelled }
        // Another attempt would repeat what was passed on, or contradict it.
        if flow.isCommitted { return .notRetryable }
        let now = now
        if let router = plan.router { return resolve(outcome, router, call, &flow, at: now) }
        if !places.isEmpty, flow.walk.barred.nonzeroBitCount == places.count { return .noTarget }
        // What one target asked for does not hold up another, as long as there is one that has not failed.
        let elsewhere = flow.walk.failed.nonzeroBitCount < places.count
        let pause = elsewhere || flow.heldUntil <= now ? nil : now.duration(to: flow.heldUntil)
        return decide(.of(outcome.cause, retryAfter: pause), call, &flow, at: now)
    }

    /// Decides after an attempt on a ladder: at once elsewhere while there is such a place, and then as the retry has it.
    private func resolve(
        _ outcome: Outcome, _ router: ModelRouter, _ call: Call, _ flow: inout Flow, at now: Instant
    ) -> Reason? {
        flow.wait = 0
        let next = router.next(
            after: outcome, at: flow.last, call, &flow.walk, budgets: flow.budgets, now: now)
        switch next {
        case .another: return nil
        case .giveUp(let reason): return reason
        case .nothing:
            guard plan.retry != nil else { return .attemptsExhausted }
            // That there was no answer says nothing of whether to try again.
            let outcome = outcome.cause == .noAnswer ? flow.walk.real ?? outcome : outcome
            let pause = flow.heldUntil <= now ? nil : now.duration(to: flow.heldUntil)
            if let reason = decide(.of(outcome.cause, retryAfter: pause), call, &flow, at: now) { return reason }
            flow.walk.begin()
            return nil
        }
    }

    /// The refusal of those that could have answered, when no attempt was made but at tiers without an answer.
    @usableFromInline
    func refusalBehind(_ flow: inout Flow) -> Rejection? {
        flow.walk.real?.cause == .noAnswer ? flow.walk.refusal : nil
    }

    /// Decides after a rejection whether to come back later.
    @usableFromInline
    func reconsider(_ rejection: Rejection, _ call: Call, _ flow: inout Flow) -> Reason? {
        decide(.neutral(.rejected, retryAfter: rejection.retryAfter), call, &flow, at: flow.started)
    }

    private func decide(_ outcome: Outcome, _ call: Call, _ flow: inout Flow, at now: Instant) -> Reason? {
        guard let retry = plan.retry else { return .notRetryable }
        let decision = retry.decide(
            after: outcome, attempt: flow.retries + 1, previous: flow.wait, idempotency: call.idempotency,
            deadline: flow.latest, budgets: flow.budgets, at: now)
        switch decision {
        case .giveUp(let reason): return reason
        case .retry(let nanoseconds):
            flow.wait = nanoseconds
            flow.walk.isPaid = true
            flow.retries += 1
            return nil
        }
    }
}
