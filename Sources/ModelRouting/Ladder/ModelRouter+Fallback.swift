package import SpillwayCore

extension ModelRouter {
    /// What to do after a failed attempt.
    package enum Next {
        /// Go on: another place is left, and what it needs is paid for.
        case another
        /// All places have been asked.
        case nothing
        /// Give the failure to the caller.
        case giveUp(Reason)
    }

    /// Decides after an attempt at `place` ended with `outcome`, which is no success: the pure core of the driver.
    ///
    /// - Parameters:
    ///   - outcome: How the attempt ended.
    ///   - place: Where it was made.
    ///   - call: Whether it may be made twice.
    ///   - walk: How far the call has come.
    ///   - budgets: What another attempt at a model is drawn from.
    ///   - now: When the attempt ended.
    package func next(
        after outcome: Outcome, at place: Int, _ call: Call, _ walk: inout Walk, budgets: BudgetChain, now: Instant
    ) -> Next {
        let tier = tier(of: place), cause = outcome.cause, bit: UInt64 = 1 << UInt64(place)
        if mayRepeat(place, cause, call, &walk) {
            walk.real = outcome
            walk.failed &= ~bit
            walk.barred &= ~bit
            return goOn(&walk, budgets, now)
        }
        walk.failed |= bit
        if cause != .noAnswer || walk.real == nil { walk.real = outcome }
        walk.steppedFor = cause == .noAnswer ? .noAnswer : .targetFailed
        walk.note(ServiceStep(names[tier], cause == .noAnswer ? .noAnswer : .targetFailed, cause))
        switch cause {
        case .invalidRequest, .contentFiltered:
            // Whoever is asked finds the same.
            return .giveUp(.notRetryable)
        case .contextTooLong:
            walk.windowAbove = max(walk.windowAbove, ratings.rows[place].window)
            // A tier without a model is no larger window.
            guard hasModel(walk, above: tier) else { return .giveUp(.notRetryable) }
        case .timeout, .truncated:
            // One that was silent would cost as much time again; one that could not go on with an answer cannot now.
            walk.barred |= bit
        case .quotaExhausted, .authentication:
            if let provider = places[place].model?.provider {
                for (index, other) in places.enumerated() where other.model?.provider == provider {
                    walk.barred |= 1 << UInt64(index)
                }
            }
        case .unacceptable:
            switch whenUnacceptable {
            case .end: return .giveUp(.notRetryable)
            case .degrade: walk.start = max(walk.start, tier)
            case .escalate:
                var better = walk
                better.qualityAbove = max(walk.qualityAbove, ratings.rows[place].quality)
                better.start = 0
                if hasModel(better, above: nil) { walk = better } else { walk.qualityAbove = -1 }
            }
        default: break
        }
        if let named = fallbacks[tier][cause] { walk.start = named }
        // What was refused for its length was not begun.
        if ratings.rows[place].state != nil, !cause.neverBegan, cause != .contextTooLong,
            !call.idempotency.allowsRepetition
        {
            walk.noModels = .mayHaveBegun
        }
        return goOn(&walk, budgets, now)
    }

    /// Whether the same place may be asked again: a fleet that has another replica for the attempt.
    private func mayRepeat(_ place: Int, _ cause: Outcome.Cause, _ call: Call, _ walk: inout Walk) -> Bool {
        guard let most = places[place].model?.configuration.attempts, most > 1,
            cause.speaksAgainstTarget || cause == .rateLimited,
            cause.neverBegan || call.idempotency.allowsRepetition
        else { return false }
        return walk.countFailure(at: place).map { $0 < most } ?? false
    }

    /// Pays for another attempt where one needs it, or leaves it at tiers that are free.
    private func goOn(
        _ walk: inout Walk, _ budgets: BudgetChain, _ now: Instant
    ) -> Next {
        let open = ~(walk.failed | walk.barred)
        var models = false, free = false
        for (index, place) in places.enumerated() where open & 1 << UInt64(index) != 0 {
            if place.model == nil { free = true } else { models = true }
        }
        if models, walk.noModels == nil {
            if !walk.hasAskedModel { return .another }
            if budgets.withdraw(at: now) {
                walk.isPaid = true
                return .another
            }
            walk.noModels = .budgetExhausted
        }
        if free { return .another }
        // A retry could only ask models.
        if walk.noModels == .mayHaveBegun { return .giveUp(.mayHaveBegun) }
        return models ? .giveUp(.budgetExhausted) : .nothing
    }

    /// Whether some model is left that may be asked; `above`: only with a larger window than the one that failed in that tier.
    private func hasModel(_ walk: Walk, above tier: Int?) -> Bool {
        let open = ~(walk.failed | walk.barred)
        for index in places.indices where open & 1 << UInt64(index) != 0 {
            let row = ratings.rows[index]
            guard row.state != nil, row.quality > walk.qualityAbove else { continue }
            if tier == nil || row.window == 0 || row.window > walk.windowAbove { return true }
        }
        return false
    }
}
