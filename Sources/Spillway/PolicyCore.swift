private import CSpillway
internal import Hedging
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
        let gates: [Unmanaged<GateState>]
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
    // The gates' states without counted references: the plan keeps the gates, and foreign ones are kept here. A buffer,
    // because to walk an array counts a reference to it.
    let gates: UnsafeMutableBufferPointer<Unmanaged<GateState>>
    let places: [Place]
    private let foreign: [ForeignGateState]
    /// Whether some gate wants to know what attempts use.
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
        isMetered = (gates + places.flatMap(\.gates)).contains { $0._withUnsafeGuaranteedRef(\.isMetered) }
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
            context: sets || adds ? CallContext(deadline: deadline, budgets: budgets) : nil, budgets: budgets,
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
            number: flow.number, call: call, started: flow.started, deadline: flow.deadline,
            target: name(of: flow.target))
        if call.streams {
            flow.watch = AttemptWatch(nil, deadline: nil, streams: true, time: time, at: flow.started)
            attempt.watch = flow.watch
        }
        if isMetered { attempt.usage = AttemptMeter(flow.permits.metered, time) }
        return attempt
    }

    /// What the operation's task must be told of; nil when it knows already.
    @usableFromInline
    func context(_ flow: inout Flow) -> CallContext? { flow.context }

    /// What extra attempts are drawn from.
    @usableFromInline
    func budgets(_ flow: inout Flow) -> BudgetChain { flow.budgets }

    func name(of target: Int) -> String? { target < 0 ? nil : places[target].name }

    /// What an error says about the target.
    @usableFromInline
    func outcome(of error: any Error) -> Outcome { Task.isCancelled ? .neutral(.cancelled) : classifier(error) }

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
        if goesOn { flow.number += 1 } else { flow.budgets.restore() }
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
            ending: record.ending, waited: .nanoseconds(flow.waited), attempts: record.attempts,
            rejections: record.rejections)
    }
}
