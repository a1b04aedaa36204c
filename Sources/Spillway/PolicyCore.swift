internal import Admission
private import CSpillway
internal import Hedging
internal import ModelRouting
internal import SpillwayCore
internal import Synchronization

/// The decisions of a policy, one step of a call at a time.
///
/// Nothing here is generic, and nothing waits but ``pause(_:)``.
///
/// Sendable although it holds a buffer, because nothing changes after it is made but the turn, which is atomic.
@usableFromInline
final class PolicyCore: @unchecked Sendable {
    struct Place: Sendable {
        let name: String
        let gates: GateRow
        let isFleet: Bool
    }

    let name: String
    let plan: PolicyPlan
    private let classifier: Classifier
    private let observer: (any Observer)?
    @usableFromInline let time: any TimeSource
    private let usesSystemTime: Bool
    private let budget: (any AttemptBudget)?
    /// ``budget`` as a chain of its own.
    private let chain: BudgetChain
    /// What starts attempts beside one that takes long.
    @usableFromInline let hedge: Hedge?
    /// Whether each attempt runs in a task of its own, so that it can be cancelled by itself.
    @usableFromInline let cancelsAttempts: Bool
    // The states of `row`. A buffer, because to walk an array counts a reference to it.
    let gates: UnsafeMutableBufferPointer<Unmanaged<GateState>>
    let places: [Place]
    private let row: GateRow
    /// Whether some gate, or the queue, wants to know what attempts use.
    let isMetered: Bool
    let turn = Atomic<Int>(0)

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
        budget = plan.budget
        chain = plan.budget.map { BudgetChain.none.adding($0) } ?? .none
        hedge = plan.hedge
        cancelsAttempts = plan.cancelsAttempts
        row = GateRow(plan.gates)
        gates = .allocate(capacity: row.states.count)
        _ = gates.initialize(from: row.states)
        places = plan.targets.map { Place(name: $0.name, gates: GateRow($0.gates), isFleet: $0.isFleet) }
        let asks = row.isMetered || places.contains(where: \.gates.isMetered)
        isMetered = asks || plan.router?.isMetered == true || plan.queue?.isMetered == true
    }

    var now: Instant { usesSystemTime ? Instant(nanoseconds: spw_now()) : time.now }

    deinit { gates.deallocate() }

    @usableFromInline
    func number(_ flow: inout Flow) -> Int { flow.number }

    /// Begins a call: reads the clock, and pays into the budget.
    @usableFromInline
    func begin(recorded: Bool) -> Flow {
        let now = now, around = CallContext.current
        var budgets = around?.budgets ?? .none, adds = false
        if let budget {
            let entered = budgets.entered(by: budget, alone: chain)
            if entered.paysIn { budget.deposit(at: now) }
            adds = entered.paysIn && plan.multiplies
            budgets = entered.chain
        }
        let own = plan.deadline.map { now.advanced(by: $0.duration) }
        let sets = own.map { own in around?.deadline.map { own < $0 } ?? true } ?? false
        let deadline = sets ? own : around?.deadline
        var flow = Flow(
            began: now, deadline: deadline, latest: deadline.map { plan.deadline?.latestStart(before: $0) ?? $0 },
            isDeadlineCooperative: sets && plan.deadline?.isCooperative == true,
            context: sets || adds
                ? CallContext(deadline: deadline, budgets: budgets, criticality: around?.criticality) : nil,
            budgets: budgets,
            record: recorded || observer != nil ? Record() : nil)
        if case .rotating = plan.order, !places.isEmpty {
            flow.first = Int(truncatingIfNeeded: UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue))
            flow.first = Int(UInt(bitPattern: flow.first) % UInt(places.count))
        }
        return flow
    }

    /// The attempt that is about to run in the task of the call.
    @usableFromInline
    func attempt(_ call: Call, _ flow: inout Flow) -> Attempt {
        var attempt = Attempt(
            number: flow.number, call: own(call, at: flow.target), started: flow.started, deadline: flow.deadline,
            target: name(of: flow.target), mode: flow.walk.mode)
        if let steps = flow.walk.steps { attempt.steps = steps }
        attempt.isLast = isLast(flow)
        if call.streams {
            flow.watch = AttemptWatch(nil, deadline: nil, streams: true, time: time, at: flow.started)
            attempt.watch = flow.watch
        }
        if isMetered {
            let meter = AttemptMeter(flow.permits, time)
            flow.meter = meter
            attempt.usage = meter
        }
        if flow.record != nil {
            flow.replica = ReplicaNote()
            attempt.replica = flow.replica
        }
        return attempt
    }

    /// Whether no attempt comes after this one; where there is a ladder that is not known.
    func isLast(_ flow: borrowing Flow) -> Bool { plan.router == nil && flow.retries >= plan.retry?.limit ?? 0 }

    /// What the operation's task must be told of; nil when it knows already.
    @usableFromInline
    func context(_ flow: inout Flow) -> CallContext? { flow.context }

    /// What extra attempts are drawn from.
    @usableFromInline
    func budgets(_ flow: inout Flow) -> BudgetChain { flow.budgets }

    func name(of target: Int) -> String? {
        target < 0 ? nil : plan.router.map { $0.places[target].name } ?? places[target].name
    }

    /// The call as it is made there.
    @inline(__always)
    func own(_ call: Call, at target: Int) -> Call {
        if let router = plan.router, target >= 0 { router.call(call, at: target) } else { call }
    }

    /// What an error says about the target.
    @usableFromInline
    func outcome(of error: any Error) -> Outcome { Task.isCancelled ? .neutral(.cancelled) : classifier.failing(error) }

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
        if goesOn { flow.number += 1 } else { giveBackAttempt(&flow) }
        return goesOn
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
            policy: name, started: flow.began,
            ended: record.attempts.reduce(flow.started) { max($0, $1.ended) },
            ending: record.ending, waited: .nanoseconds(flow.waited), queued: .nanoseconds(flow.queued),
            attempts: record.attempts, rejections: record.rejections, steps: flow.walk.steps ?? [],
            mode: flow.walk.mode)
    }
}
