internal import SpillwayCore
internal import Synchronization

extension PolicyCore {
    /// What comes of asking all gates.
    @usableFromInline
    enum Entry {
        case admitted
        case rejected(Rejection)
        case late
    }

    /// Asks all gates of one attempt: all admit, or none was charged.
    @usableFromInline
    func enter(_ call: Call, _ flow: inout Flow) -> Entry {
        if let latest = flow.latest, flow.started >= latest {
            giveAttemptBack(flow)
            return .late
        }
        do throws(Rejection) {
            try admit(call, &flow, forHedge: false)
            return .admitted
        } catch {
            giveAttemptBack(flow)
            return .rejected(error)
        }
    }

    /// Asks all gates for a hedge, at another target than those that were asked; nil, and none was charged, when one refuses.
    @usableFromInline
    func enterHedge(_ hedge: Int, _ call: Call, _ flow: borrowing Flow, _ legs: Legs, at now: Instant) -> Attempt? {
        if let latest = flow.latest, now >= latest { return nil }
        var own = copy flow
        own.started = now
        for leg in legs.all where leg.target >= 0 { own.failed |= 1 << UInt64(leg.target) }
        do throws(Rejection) { try admit(call, &own, forHedge: true) } catch { return nil }
        let leg = leg(hedge, call, &own)
        legs.add(leg)
        return leg.attempt
    }

    /// A retry that was paid for and is not made costs nothing.
    private func giveAttemptBack(_ flow: borrowing Flow) {
        if flow.number > 1 { flow.budgets.restore() }
    }

    private func admit(_ call: Call, _ flow: inout Flow, forHedge: Bool) throws(Rejection) {
        do throws(Rejection) {
            for gate in gates { try admit(gate, call, &flow) }
        } catch {
            flow.permits.void(to: 0, at: flow.started)
            flow.record?.rejections.append(error)
            throw error
        }
        guard !places.isEmpty else { return }
        do throws(Rejection) { try chooseTarget(call, &flow, forHedge: forHedge) } catch {
            flow.permits.void(to: 0, at: flow.started)
            throw error
        }
    }

    @inline(__always)
    private func admit(
        _ gate: Unmanaged<GateState>, _ call: Call, _ flow: inout Flow
    ) throws(Rejection) {
        let now = flow.started
        // `_withUnsafeGuaranteedRef` does not know typed errors.
        let answer = gate._withUnsafeGuaranteedRef { state in
            Result { () throws(Rejection) in try state.admit(call, at: now).take() }
        }
        flow.permits.push(try answer.get())
    }

    /// Every target has been asked already.
    private static let nowhere = Rejection(by: GateName(registering: "targets"), reason: .noTarget)

    /// Takes the first target that admits: first those that have not failed in this call, then the others.
    ///
    /// For a hedge none of the others, which have been asked.
    private func chooseTarget(_ call: Call, _ flow: inout Flow, forHedge: Bool) throws(Rejection) {
        let held = flow.permits.count
        var refusal: Rejection?
        for again in [false, true] where !(again && forHedge) {
            // Never earlier than told: a target that failed and asked for a pause is not asked before it is over.
            if again, flow.started < flow.heldUntil, refusal != nil { break }
            for step in places.indices {
                let index = (flow.first + step) % places.count
                let bit: UInt64 = 1 << UInt64(index)
                guard flow.barred & bit == 0, (flow.failed & bit != 0) == again else { continue }
                do throws(Rejection) {
                    for gate in places[index].gates { try admit(gate, call, &flow) }
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
                    // The one to come back to first is the one worth telling of.
                    if refusal == nil
                        || (error.retryAfter ?? .seconds(1 << 40)) < (refusal?.retryAfter ?? .seconds(1 << 40))
                    {
                        refusal = error
                    }
                }
            }
        }
        throw refusal ?? Self.nowhere
    }
}
