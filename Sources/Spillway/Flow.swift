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
    var permits = PermitStack()
    /// Who is told of what this attempt passes on; nil for an answer in one piece.
    var watch: AttemptWatch?
    /// Whether an attempt has passed something on that another would repeat.
    var isCommitted = false
    /// The target of this attempt; −1: none.
    var target = -1
    /// The target after which to begin to look.
    var first = 0
    /// One bit for each target that failed in this call.
    var failed: UInt64 = 0
    /// One bit for each target that is not asked again in this call.
    var barred: UInt64 = 0
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
        started = began
    }
}
