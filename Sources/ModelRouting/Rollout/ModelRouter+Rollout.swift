package import SpillwayCore

extension ModelRouter {
    /// The place that a tier's rollout gives the call; −1: there is no rollout.
    func wanted(in tier: Int, _ call: Call, _ walk: inout Walk) -> Int {
        // A second attempt of a call that failed here would count its failure for both.
        guard rungs.rows[tier].places & (walk.failed | walk.barred) == 0, case .rollout = rungs.rows[tier].rule,
            case .rollout(let rollout) = tiers[tier].choice
        else {
            walk.arm = nil
            return -1
        }
        let arm = rollout.arm(for: call)
        walk.arm = arm
        return baseline(of: tier) + (arm.isCanary ? 1 : 0)
    }

    /// Takes note of how an attempt at `place` ended, for all calls.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - place: Where it was made.
    ///   - walk: How far its call has come.
    ///   - began: When the attempt began.
    ///   - took: The time to the first content of a stream, or to the whole answer.
    ///   - usage: What it used; nil: nobody knows.
    ///   - now: When it ended.
    package func learn(
        _ outcome: Outcome, at place: Int, _ walk: inout Walk, since began: Instant, took: Duration?, usage: Usage?,
        now: Instant
    ) {
        let tier = tier(of: place)
        if outcome.verdict == .success {
            ladder.served(tier, since: began, at: now)
        } else if ladder.counts(.targetFailed, outcome.cause) {
            ladder.missed(tier, .targetFailed, outcome.cause, since: began, at: now)
        }
        guard let arm = walk.arm else { return }
        walk.arm = nil
        // A hedge stands at the other one.
        guard case .rollout(let rollout) = tiers[tier].choice, arm.isCanary == (place != baseline(of: tier)),
            outcome.cause != .cancelled
        else { return }
        rollout.record(
            arm, Rollout.Sample(outcome, firstContent: took, cost: cost(of: usage, at: place)), at: now)
    }

    private func baseline(of tier: Int) -> Int { rungs.rows[tier].places.trailingZeroBitCount }

    /// What was used, at the model's price by tokens, in nano-dollars.
    private func cost(of usage: Usage?, at place: Int) -> Int64? {
        let row = ratings.rows[place]
        guard let usage, row.input >= 0, row.input | row.output > 0 else { return nil }
        return Model.Cost.nanoDollars(
            input: row.input, output: row.output,
            .estimate(input: usage.promptTokens, maxOutput: usage.answerTokens))
    }
}
