internal import SpillwayCore

/// What one call of a policy has come to so far: the state that the loop hands from step to step.
@usableFromInline
struct Flow {
    let began: Instant
    let deadline: Instant?
    /// Whether `deadline` is this policy's own, so that the operation must be told of it.
    let setsDeadline: Bool
    /// What a report will be made of; nil when nobody will read one.
    let record: Record?

    /// The number of the attempt that runs, or is about to.
    var number = 1
    var started: Instant
    /// Nanoseconds of the wait before this attempt.
    var wait: Int64 = 0
    var waited: Int64 = 0
    var permits = PermitStack()
    /// The target of this attempt; −1: none.
    var target = -1
    /// The target after which to begin to look.
    var first = 0
    /// One bit for each target that failed in this call.
    var failed: UInt64 = 0
    /// Until when no target that failed in this call may be asked again, because one of them said so.
    var heldUntil = Instant.zero

    init(began: Instant, deadline: Instant?, setsDeadline: Bool, record: Record?) {
        self.began = began
        self.deadline = deadline
        self.setsDeadline = setsDeadline
        self.record = record
        started = began
    }
}

/// What happened in one call, for its report.
///
/// Used by one task at a time.
final class Record: @unchecked Sendable {
    var attempts: [CallReport.AttemptRecord] = []
    var rejections: [Rejection] = []
    var ending = Reason.completed
}
