internal import Admission
internal import ModelRouting
internal import SpillwayCore

/// What one call of a policy has come to so far: the state that the loop hands from step to step.
@usableFromInline
struct Flow: Sendable {
    let began: Instant
    let deadline: Instant?
    /// From when on no attempt begins, because it would have too little time.
    let latest: Instant?
    /// Whether `deadline` is this policy's own, and cancels nothing.
    let isDeadlineCooperative: Bool
    /// What the operation must be told of through its task; nil when it knows already.
    let context: CallContext?
    /// What extra attempts are drawn from.
    let budgets: BudgetChain
    /// What a report will be made of; nil when nobody will read one.
    let record: Record?

    /// The number of the attempt that runs, or is about to.
    var number = 1
    var started: Instant
    /// Nanoseconds of the wait before this attempt.
    var wait: Int64 = 0
    var waited: Int64 = 0
    /// That the gates have refused it, for the queue; nil: they were not asked, because others wait.
    var tried: FairQueue.Tried?
    /// What the queue charged for this attempt; nil: it did not wait.
    var charge: FairQueue.Charge?
    /// Whether a gate was given back because another one refused, so that somebody may have missed it.
    var hasGivenBack = false
    /// Nanoseconds in the queue.
    var queued: Int64 = 0
    var permits = PermitStack()
    /// Who is told of what this attempt passes on; nil for an answer in one piece.
    var watch: AttemptWatch?
    /// Is told what this attempt uses; nil: no gate asks.
    var meter: AttemptMeter?
    /// Is told to which replica this attempt goes; nil: nobody reads it.
    var replica: ReplicaNote?
    /// Whether an attempt has passed something on that another would repeat.
    var isCommitted = false
    /// The target of this attempt; −1: none.
    var target = -1
    /// The target of the last attempt that failed; −1: none.
    var last = -1
    /// Retries so far; steps on a ladder are none.
    var retries = 0
    /// The target after which to begin to look.
    var first = 0
    /// Which targets failed in this call, and how far it has come on a ladder.
    var walk: Walk
    /// Until when no target that failed in this call may be asked again, because one of them said so.
    var heldUntil = Instant.zero

    init(
        began: Instant, deadline: Instant?, latest: Instant?, isDeadlineCooperative: Bool, context: CallContext?,
        budgets: BudgetChain, record: Record?
    ) {
        self.began = began
        self.deadline = deadline
        self.latest = latest
        self.isDeadlineCooperative = isDeadlineCooperative
        self.context = context
        self.budgets = budgets
        self.record = record
        walk = Walk(recorded: record != nil)
        started = began
    }
}
