package import SpillwayCore

/// How far one call has come on a ladder: what a driver hands to the router from step to step.
package struct Walk: Sendable {
    /// Places that failed in this call, one bit for each.
    package var failed: UInt64 = 0
    /// Places that are not asked again in this call.
    package var barred: UInt64 = 0
    /// Places that refused, the last time that they were asked.
    var refused: UInt64 = 0
    /// The tier at which to begin to look.
    var start = 0
    /// What the model's window must be larger than, because that of another was too small.
    var windowAbove: UInt32 = 0
    /// What the model's quality must be above, because the answer of another was not good enough.
    var qualityAbove = -1.0
    /// Whether another attempt has been paid for out of the budget, and has not begun.
    package var isPaid = false
    /// How the last attempt ended that was not merely without an answer.
    package var real: Outcome?
    /// The refusal to come back to first, of gates on the way to where the call is now.
    package var refusal: Rejection?
    /// Whether a model was asked already, so that the next one must be paid for.
    var hasAskedModel = false
    /// Why no model may be asked any more; nil: one may.
    package var noModels: Reason?
    /// The place that failed last, and how many attempts in a row.
    private var last: (place: Int, failures: Int) = (-1, 0)
    /// Places that have failed an attempt, one bit for each.
    private var seen: UInt64 = 0
    /// Why the attempt before this one was not the last.
    var steppedFor: Reason?
    /// What a rollout gave the call for this attempt; nil: it has no say, or was not followed.
    var arm: Rollout.Arm?
    /// Where this attempt is made, and why there; nil before the first.
    package var mode: ServiceMode?
    /// Tiers that were passed over or failed; nil when nobody will read them.
    package var steps: [ServiceStep]?

    package init(recorded: Bool) { steps = recorded ? [] : nil }

    /// Counts a failure at a place; returns how many it were in a row, or nil for one that was left and asked again.
    mutating func countFailure(at place: Int) -> Int? {
        let bit: UInt64 = 1 << UInt64(place)
        defer { seen |= bit }
        if last.place != place, seen & bit != 0 { return nil }
        last = (place, last.place == place ? last.failures + 1 : 1)
        return last.failures
    }

    /// Takes a step down, once for each tier and reason.
    mutating func note(_ step: ServiceStep) {
        guard steps?.contains(step) == false else { return }
        steps?.append(step)
    }

    /// Begins again from the top, when all have been asked: those that failed too.
    package mutating func begin() {
        failed = 0
        start = 0
        (last, seen) = ((-1, 0), 0)
        if noModels == .budgetExhausted { noModels = nil }
    }
}
