internal import Admission
internal import SpillwayCore

/// One attempt that runs in a task of its own, beside others or under a limit.
///
/// Unchecked: made by the task of the call, then touched by its own task until that has ended, then read by the first again.
@usableFromInline
final class Leg: @unchecked Sendable {
    @usableFromInline let attempt: Attempt
    @usableFromInline let watch: AttemptWatch
    /// −1: none.
    let target: Int
    var permits: PermitStack
    /// Is told what the attempt uses; nil: no gate asks.
    let meter: AttemptMeter?
    /// What the queue charged for it; nil: it did not wait.
    let charge: FairQueue.Charge?
    /// What came of it; nil until it has been settled.
    var settled: (outcome: Outcome, at: Instant)?

    init(
        _ attempt: Attempt, _ watch: AttemptWatch, target: Int, _ permits: PermitStack, _ meter: AttemptMeter?,
        _ charge: FairQueue.Charge?
    ) {
        var watched = attempt
        watched.watch = watch
        self.attempt = watched
        self.watch = watch
        self.target = target
        self.permits = permits
        self.meter = meter
        self.charge = charge
    }
}
