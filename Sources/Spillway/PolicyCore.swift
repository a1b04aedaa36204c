private import CSpillway
internal import Retrying
internal import SpillwayCore
internal import Synchronization

/// The decisions of a policy, one step of a call at a time.
///
/// Nothing here is generic, and nothing waits but ``pause(_:)``.
///
/// Sendable although it holds a buffer, because nothing changes after it is made but the turn, which is atomic.
@usableFromInline
final class PolicyCore: @unchecked Sendable {
    private struct Place: Sendable {
        let name: String
        let gates: [Unmanaged<GateState>]
    }

    let name: String
    private let plan: PolicyPlan
    private let classifier: Classifier
    private let observer: (any Observer)?
    private let time: any TimeSource
    private let usesSystemTime: Bool
    private let budget: RetryBudget?
    // The gates' states without counted references: the plan keeps the gates, and foreign ones are kept here. A buffer,
    // because to walk an array counts a reference to it.
    private let gates: UnsafeMutableBufferPointer<Unmanaged<GateState>>
    private let places: [Place]
    private let foreign: [ForeignGateState]
    private let turn = Atomic<Int>(0)

    init(
        _ name: String, _ plan: PolicyPlan, _ classifier: Classifier, _ observer: (any Observer)?,
        _ time: any TimeSource
    ) {
        self.name = name
        self.plan = plan
        self.classifier = classifier
        self.observer = observer
        self.time = time
        usesSystemTime = time is SystemTime
        budget = plan.retry?.budget
        var foreign: [ForeignGateState] = []
        func state(_ gate: any Gate) -> Unmanaged<GateState> {
            if let gate = gate as? any BuiltInGate { return .passUnretained(gate.state) }
            let state = ForeignGateState(gate)
            foreign.append(state)
            return .passUnretained(state)
        }
        gates = .allocate(capacity: plan.gates.count)
        _ = gates.initialize(from: plan.gates.map(state))
        places = plan.targets.map { Place(name: $0.name, gates: $0.gates.map(state)) }
        self.foreign = foreign
    }

    var now: Instant { usesSystemTime ? Instant(nanoseconds: spw_now()) : time.now }

    deinit { gates.deallocate() }

    @usableFromInline
    func number(_ flow: inout Flow) -> Int { flow.number }

    /// Begins a call: reads the clock, and pays into the budget.
    @usableFromInline
    func begin(recorded: Bool) -> Flow {
        let now = now
        budget?.deposit(at: now)
        let inherited = CallContext.current?.deadline
        let own = plan.deadline.map { now.advanced(by: $0) }
        let sets = own.map { own in inherited.map { own < $0 } ?? true } ?? false
        var flow = Flow(
            began: now, deadline: sets ? own : inherited, setsDeadline: sets,
            record: recorded || observer != nil ? Record() : nil)
        if case .rotating = plan.order, !places.isEmpty {
            flow.first = Int(truncatingIfNeeded: UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue))
            flow.first = Int(UInt(bitPattern: flow.first) % UInt(places.count))
        }
        return flow
    }

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
        if let deadline = flow.deadline, flow.started >= deadline {
            giveAttemptBack(flow)
            return .late
        }
        do throws(Rejection) {
            for gate in gates { try admit(gate, call, &flow) }
            if !places.isEmpty { try chooseTarget(call, &flow) }
            return .admitted
        } catch {
            flow.permits.void(to: 0, at: flow.started)
            flow.record?.rejections.append(error)
            giveAttemptBack(flow)
            return .rejected(error)
        }
    }

    /// A retry that was paid for and is not made costs nothing.
    private func giveAttemptBack(_ flow: borrowing Flow) {
        if flow.number > 1 { budget?.restore() }
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

    /// Takes the first target that admits: first those that have not failed in this call, then the others.
    private func chooseTarget(_ call: Call, _ flow: inout Flow) throws(Rejection) {
        let held = flow.permits.count
        var refusal: Rejection?
        for again in [false, true] {
            // Never earlier than told: a target that failed and asked for a pause is not asked before it is over.
            if again, flow.started < flow.heldUntil, refusal != nil { break }
            for step in places.indices {
                let index = (flow.first + step) % places.count
                guard (flow.failed & (1 << UInt64(index)) != 0) == again else { continue }
                do throws(Rejection) {
                    for gate in places[index].gates { try admit(gate, call, &flow) }
                    flow.target = index
                    if case .rotating = plan.order, step > 0 {
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
        throw refusal!
    }

    @usableFromInline
    func attempt(_ call: Call, _ flow: inout Flow) -> Attempt {
        Attempt(
            number: flow.number, call: call, started: flow.started, deadline: flow.deadline,
            target: flow.target < 0 ? nil : places[flow.target].name)
    }

    /// What the operation must be told of through its task; nil when it knows already.
    @usableFromInline
    func context(_ flow: inout Flow) -> CallContext? {
        flow.setsDeadline ? CallContext(deadline: flow.deadline) : nil
    }

    /// Settles an attempt that succeeded.
    @usableFromInline
    func succeed(_ flow: inout Flow) {
        settle(&flow, .success)
        finish(&flow, .completed)
    }

    /// Settles an attempt that failed and decides whether there is another.
    ///
    /// Nil: there is; wait for `flow.wait` first.
    @usableFromInline
    func fail(_ error: any Error, _ call: Call, _ flow: inout Flow) -> Reason? {
        resolve(Task.isCancelled ? .neutral(.cancelled) : classifier(error), call, &flow)
    }

    /// As ``fail(_:_:_:)``, with the outcome known.
    @usableFromInline
    func resolve(_ outcome: Outcome, _ call: Call, _ flow: inout Flow) -> Reason? {
        let now = settle(&flow, outcome)
        if flow.target >= 0, outcome.cause != .cancelled {
            flow.failed |= 1 << UInt64(flow.target)
            flow.target = -1
        }
        // What one target asked for does not hold up another, as long as there is one that has not failed.
        let elsewhere = flow.failed.nonzeroBitCount < places.count
        if let hint = outcome.retryAfter { flow.heldUntil = max(flow.heldUntil, now.advanced(by: hint)) }
        let pause = elsewhere || flow.heldUntil <= now ? nil : now.duration(to: flow.heldUntil)
        return decide(.of(outcome.cause, retryAfter: pause), call.idempotency, &flow, at: now)
    }

    /// Decides after a rejection whether to come back later.
    @usableFromInline
    func reconsider(_ rejection: Rejection, _ call: Call, _ flow: inout Flow) -> Reason? {
        let outcome = Outcome.neutral(.rejected, retryAfter: rejection.retryAfter)
        return decide(outcome, call.idempotency, &flow, at: flow.started)
    }

    private func decide(
        _ outcome: Outcome, _ idempotency: Call.Idempotency, _ flow: inout Flow, at now: Instant
    ) -> Reason? {
        guard let retry = plan.retry else { return outcome.cause == .cancelled ? .cancelled : .notRetryable }
        let decision = retry.decide(
            after: outcome, attempt: flow.number, previous: flow.wait, idempotency: idempotency,
            deadline: flow.deadline, at: now)
        switch decision {
        case .giveUp(let reason): return reason
        case .retry(let nanoseconds):
            flow.wait = nanoseconds
            return nil
        }
    }

    /// Waits before the next attempt; false when the task was cancelled meanwhile, and then the budget has it back.
    @usableFromInline
    func pause(_ flow: inout Flow) async -> Bool {
        let began = now
        var goesOn = !Task.isCancelled
        if flow.wait > 0 {
            do { try await time.sleep(until: began.advanced(by: .nanoseconds(flow.wait))) } catch { goesOn = false }
            flow.started = now
            flow.waited += flow.started.nanoseconds - began.nanoseconds
        } else {
            flow.started = began
        }
        if goesOn { flow.number += 1 } else { budget?.restore() }
        return goesOn
    }

    @discardableResult
    private func settle(_ flow: inout Flow, _ outcome: Outcome) -> Instant {
        let now = now
        flow.permits.settle(outcome, at: now)
        if let record = flow.record {
            let target = flow.target < 0 ? nil : places[flow.target].name
            record.attempts.append(
                CallReport.AttemptRecord(target: target, started: flow.started, ended: now, outcome: outcome))
        }
        return now
    }

    /// Reports a call that has ended.
    @usableFromInline
    func finish(_ flow: inout Flow, _ ending: Reason) {
        guard let record = flow.record else { return }
        record.ending = ending
        observer?.ended(report(flow))
    }

    func report(_ flow: Flow) -> CallReport {
        let record = flow.record ?? Record()
        return CallReport(
            policy: name, started: flow.began, ended: max(record.attempts.last?.ended ?? flow.began, flow.started),
            ending: record.ending, waited: .nanoseconds(flow.waited), attempts: record.attempts,
            rejections: record.rejections)
    }
}
