internal import Admission
internal import ModelRouting
internal import SpillwayCore
internal import Synchronization

extension PolicyCore {
    /// What comes of asking all gates.
    @usableFromInline
    enum Entry {
        case admitted
        case rejected(Rejection)
        case late
        case cancelled
        /// It must wait in the queue.
        case queued
    }

    /// Asks all gates of one attempt: all admit, or none was charged.
    @usableFromInline
    func enter(_ call: Call, _ flow: inout Flow) -> Entry {
        if let latest = flow.latest, flow.started >= latest {
            giveBack(&flow)
            return .late
        }
        let outer = plan.gatesBeforeQueue
        flow.charge = nil
        flow.hasGivenBack = false
        var mayWait = false
        do throws(Rejection) {
            if let queue = plan.queue {
                try admit(call, &flow, gates: 0..<outer)
                flow.tried = queue.mayTry
                if flow.tried == nil { return .queued }
                mayWait = true
            }
            try admit(call, &flow, forHedge: false)
            return .admitted
        } catch {
            if flow.hasGivenBack { plan.queue?.free(at: flow.started) }
            if mayWait, FairQueue.waits(for: error.reason) {
                flow.tried?.rejection = error
                return .queued
            }
            giveBack(&flow)
            return .rejected(error)
        }
    }

    /// Waits in the queue until the gates admit, or it must not wait any longer.
    @usableFromInline
    func wait(_ call: Call, _ flow: inout Flow) async -> Entry {
        guard let queue = plan.queue else { return .admitted }
        let began = flow.started, told = flow.record?.rejections.count ?? 0
        let ending = await queue.wait(call, tried: flow.tried, until: flow.latest, from: began, time) { now in
            flow.started = now
            do throws(Rejection) {
                try admit(call, &flow, forHedge: false)
                return .letThrough
            } catch {
                guard FairQueue.waits(for: error.reason) else { return .refused(error) }
                // That it had to wait is told once.
                flow.record?.rejections.removeSubrange(told...)
                return .waits(error)
            }
        }
        if case .letThrough = ending {} else { flow.started = now }
        flow.queued += max(0, flow.started.nanoseconds - began.nanoseconds)
        switch ending {
        case .letThrough(let charge):
            flow.charge = charge
            return .admitted
        case .refused(let rejection):
            giveBack(&flow)
            return .rejected(rejection)
        case .dropped(let rejection):
            giveBack(&flow)
            flow.record?.rejections.append(rejection)
            return .rejected(rejection)
        case .late:
            giveBack(&flow)
            return .late
        case .cancelled:
            giveBack(&flow)
            return .cancelled
        }
    }

    /// Asks all gates for a hedge, at another target than those that were asked, or one that stands for several.
    ///
    /// Nil, and none was charged, when one refuses.
    @usableFromInline
    func enterHedge(_ hedge: Int, _ call: Call, _ flow: borrowing Flow, _ legs: Legs, at now: Instant) -> Attempt? {
        if let latest = flow.latest, now >= latest { return nil }
        // Nothing beside an attempt passes those who wait for their first.
        if let queue = plan.queue, queue.mayTry == nil { return nil }
        var own = copy flow
        own.started = now
        own.charge = nil
        for leg in legs.all where leg.target >= 0 { own.walk.failed |= 1 << UInt64(leg.target) }
        do throws(Rejection) {
            try admit(call, &own, gates: 0..<plan.gatesBeforeQueue)
            try admit(call, &own, forHedge: true)
        } catch {
            own.permits.void(to: 0, at: now)
            plan.queue?.free(at: now)
            return nil
        }
        let leg = leg(hedge, call, &own)
        legs.add(leg)
        return leg.attempt
    }

    /// An attempt that is not made costs nothing: neither its gates nor, for a retry, the budget.
    private func giveBack(_ flow: inout Flow) {
        flow.permits.void(to: 0, at: flow.started)
        giveBackAttempt(&flow)
    }

    /// Puts an attempt that was paid for and is not made back into the budget.
    func giveBackAttempt(_ flow: inout Flow) {
        if flow.walk.isPaid { flow.budgets.restore() }
        flow.walk.isPaid = false
    }

    /// Asks the gates behind the queue, and then those of the targets; if one refuses, those before the queue keep theirs.
    private func admit(_ call: Call, _ flow: inout Flow, forHedge: Bool) throws(Rejection) {
        let outer = plan.gatesBeforeQueue
        try admit(call, &flow, gates: outer..<gates.count)
        guard !places.isEmpty || plan.router != nil else {
            if !forHedge { flow.walk.isPaid = false }
            return
        }
        do throws(Rejection) {
            if let router = plan.router {
                try step(router, call, &flow, forHedge: forHedge)
            } else {
                try chooseTarget(call, &flow, forHedge: forHedge)
                if !forHedge { flow.walk.isPaid = false }
            }
        } catch {
            if flow.permits.count > outer { flow.hasGivenBack = true }
            flow.permits.void(to: outer, at: flow.started)
            throw error
        }
    }

    @inline(__always)
    private func admit(_ call: Call, _ flow: inout Flow, gates range: Range<Int>) throws(Rejection) {
        let held = flow.permits.count
        do throws(Rejection) {
            for index in range { try flow.permits.admit(gates[index], call, at: flow.started) }
        } catch {
            if flow.permits.count > held { flow.hasGivenBack = true }
            flow.permits.void(to: held, at: flow.started)
            flow.record?.rejections.append(error)
            throw error
        }
    }

    /// Finds a place on the ladder.
    private func step(_ router: ModelRouter, _ call: Call, _ flow: inout Flow, forHedge: Bool) throws(Rejection) {
        guard !forHedge else {
            flow.target = try router.admitHedge(
                call, &flow.walk, beside: flow.target, &flow.permits, at: flow.started)
            return
        }
        // A target that failed and asked for a pause is not asked before it is over: it cools down until then.
        let record = flow.record
        flow.target = try router.admit(
            call, &flow.walk, &flow.permits, budgets: flow.budgets, deadline: flow.deadline, at: flow.started,
            isWorthMore: { isWorthMore($0, than: $1) }
        ) { record?.rejections.append($0) }
    }

    /// Every target has been asked already.
    private static let nowhere = Rejection(by: GateName(registering: "targets"), reason: .noTarget)

    /// Takes the first target that admits: first those that have not failed in this call, then the others.
    ///
    /// For a hedge only those of the others that stand for several.
    private func chooseTarget(_ call: Call, _ flow: inout Flow, forHedge: Bool) throws(Rejection) {
        let held = flow.permits.count
        var refusal: Rejection?
        for again in [false, true] {
            // Never earlier than told: a target that failed and asked for a pause is not asked before it is over.
            if again, flow.started < flow.heldUntil, refusal != nil { break }
            for step in places.indices {
                let index = (flow.first + step) % places.count
                let bit: UInt64 = 1 << UInt64(index)
                guard flow.walk.barred & bit == 0, (flow.walk.failed & bit != 0) == again,
                    !again || !forHedge || places[index].isFleet
                else { continue }
                do throws(Rejection) {
                    for gate in places[index].gates.states { try flow.permits.admit(gate, call, at: flow.started) }
                    flow.target = index
                    if case .rotating = plan.order, step > 0, !forHedge {
                        // The next call begins after the target that took this one; else the neighbour of one that
                        // refuses would get the calls of both.
                        turn.wrappingAdd(step, ordering: .relaxed)
                        flow.first = index
                    }
                    return
                } catch {
                    flow.permits.void(to: held, at: flow.started)
                    flow.record?.rejections.append(error)
                    if refusal.map({ isWorthMore(error, than: $0) }) ?? true { refusal = error }
                }
            }
        }
        throw refusal ?? Self.nowhere
    }

    /// The refusal to come back to first is the one worth telling of; in a queue one that it waits for.
    private func isWorthMore(_ one: Rejection, than other: Rejection) -> Bool {
        if plan.queue != nil {
            let (waits, otherWaits) = (FairQueue.waits(for: one.reason), FairQueue.waits(for: other.reason))
            if waits != otherWaits { return waits }
        }
        return one.isSooner(than: other)
    }
}
