package import SpillwayCore

extension ModelRouter {
    /// Nothing on the ladder is left to ask.
    private static let nowhere = Rejection(by: GateName(registering: "ladder"), reason: .noTarget)

    /// Finds a place for an attempt, and passes its gates: all admit, or none was charged.
    ///
    /// First every tier in its order, and then, because a poor chance is better than none, models that cool down and tiers that the
    /// ladder has left.
    ///
    /// - Parameters:
    ///   - call: As it was given to the driver.
    ///   - walk: How far the call has come.
    ///   - permits: What the gates gave is put there.
    ///   - budgets: What an attempt that was paid for goes back to when no model is asked for it.
    ///   - deadline: When the call must have ended; nil: never.
    ///   - now: The time.
    ///   - isWorthMore: Whether the first of two refusals is rather to be told of.
    ///   - refused: Told of each gate that refuses.
    /// - Returns: The place.
    package func admit(
        _ call: Call, _ walk: inout Walk, _ permits: inout PermitStack, budgets: BudgetChain, deadline: Instant?,
        at now: Instant, isWorthMore: (Rejection, Rejection) -> Bool, refused: (Rejection) -> Void
    ) throws(Rejection) -> Int {
        walk.refused = 0
        var search = Search(deadline: deadline, now: now)
        for turn in 0..<2 {
            search.isLast = turn == 1
            var next = search.isLast ? search.nextPutOff(from: 0) : walk.start
            while let tier = next {
                let before = search.refused
                let answer = enter(tier, call, &walk, &permits, &search, refused)
                if let last = search.refused, before != last, search.refusal.map({ isWorthMore(last, $0) }) ?? true {
                    search.refusal = last
                }
                switch answer {
                case .place(let place):
                    walk.refusal = search.refusal
                    begin(place, &walk, budgets, because: search.reason)
                    return place
                case .passed(let reason, let cause):
                    if let reason {
                        search.reason = reason
                        walk.note(ServiceStep(names[tier], reason, cause))
                    } else if rungs.rows[tier].places & walk.failed != 0 {
                        search.reason = walk.steppedFor
                    }
                    next =
                        search.isLast ? search.nextPutOff(from: tier + 1) : self.next(after: tier, reason, cause)
                }
            }
        }
        throw search.refusal ?? Self.nowhere
    }

    /// Finds another model of the same tier for an attempt beside one at `place`, or the same one where that is a fleet.
    package func admitHedge(
        _ call: Call, _ walk: inout Walk, beside place: Int, _ permits: inout PermitStack, at now: Instant
    ) throws(Rejection) -> Int {
        let tier = tier(of: place), held = permits.count
        guard rungs.rows[tier].isModel else { throw Self.nowhere }
        let own = self.call(call, at: place), isFleet = places[place].model?.configuration.isFleet == true
        var rest = fit(rungs.rows[tier].places & ~(walk.failed | walk.barred), call, walk, at: now).places
        var again: UInt64 = isFleet ? 1 << UInt64(place) & ~walk.barred : 0
        while rest | again != 0 {
            // A fleet comes last: what ails it may ail all its replicas.
            if rest == 0 { swap(&rest, &again) }
            let place = choose(rest, in: tier, call, at: now)
            rest &= ~(1 << UInt64(place))
            if ratings.cools(place, at: now) { continue }
            do throws(Rejection) {
                try rungs.admit(place, own, &permits, at: now)
                return place
            } catch {
                permits.void(to: held, at: now)
            }
        }
        throw Self.nowhere
    }

    /// One search for a place.
    private struct Search {
        let deadline: Instant?
        let now: Instant
        /// Whether all tiers were asked in their order, and now is the turn of what cools down or was left.
        var isLast = false
        /// Why the last tier was passed over.
        var reason: Reason?
        /// The last refusal.
        var refused: Rejection?
        /// The refusal that is rather to be told of than all others.
        var refusal: Rejection?
        /// Tiers that were left, or have models that cool down, one bit for each: their turn comes last.
        var putOff: UInt64 = 0

        func nextPutOff(from tier: Int) -> Int? {
            let rest = tier < 64 ? putOff >> UInt64(tier) : 0
            return rest == 0 ? nil : tier + rest.trailingZeroBitCount
        }
    }

    private enum Answer {
        case place(Int)
        /// Nil: it was not the tier's turn.
        case passed(Reason?, Outcome.Cause)
    }

    /// Asks one tier.
    private func enter(
        _ tier: Int, _ call: Call, _ walk: inout Walk, _ permits: inout PermitStack, _ search: inout Search,
        _ refused: (Rejection) -> Void
    ) -> Answer {
        let row = rungs.rows[tier], isModel = row.isModel, now = search.now
        let open = row.places & ~(walk.failed | walk.barred | walk.refused)
        if open == 0 { return .passed(nil, .none) }
        if isModel, let reason = walk.noModels { return .passed(reason, .none) }
        if row.time > 0, let deadline = search.deadline, now.duration(to: deadline) < .nanoseconds(row.time) {
            return .passed(.tooLittleTime, .none)
        }
        if row.hasLoad, !search.isLast, let load = tiers[tier].needs.load, load(now) >= tiers[tier].needs.saturation {
            return .passed(.saturated, .overloaded)
        }
        let (fitting, missing) = isModel ? fit(open, call, walk, at: now) : (open, nil)
        if fitting == 0 { return .passed(missing, .none) }
        // Last of the conditions: who may probe must not be stopped by another.
        if !search.isLast, let cause = ladder.whyLeft(tier, at: now) {
            search.putOff |= 1 << UInt64(tier)
            return .passed(.steppedDown, cause)
        }
        return enter(tier, places: fitting, call, &walk, &permits, &search, refused)
    }

    /// Asks the gates of one tier's places.
    private func enter(
        _ tier: Int, places fitting: UInt64, _ call: Call, _ walk: inout Walk, _ permits: inout PermitStack,
        _ search: inout Search, _ refused: (Rejection) -> Void
    ) -> Answer {
        let now = search.now, held = permits.count, own = self.call(call, at: fitting.trailingZeroBitCount)
        let wanted = wanted(in: tier, call, &walk)
        let cooling = search.isLast ? 0 : cooling(fitting, at: now)
        if cooling != 0 { search.putOff |= 1 << UInt64(tier) }
        var rest = fitting & ~cooling
        // A canary that fails must be seen to fail, until the rollout takes it back.
        if wanted >= 0, !ratings.pauses(wanted, at: now) { rest |= fitting & 1 << UInt64(wanted) }
        var last: Reason?, isToBlame = !search.isLast
        while rest != 0 {
            let isWanted = wanted >= 0 && rest & 1 << UInt64(wanted) != 0
            let place = isWanted ? wanted : choose(rest, in: tier, call, at: now)
            rest &= ~(1 << UInt64(place))
            do throws(Rejection) {
                try rungs.admit(place, own, &permits, at: now)
                if !isWanted { walk.arm = nil }
                return .place(place)
            } catch {
                permits.void(to: held, at: now)
                walk.refused |= 1 << UInt64(place)
                refused(error)
                search.refused = error
                last = error.reason
                // A tier of which some model is merely full goes on to serve what it can.
                isToBlame = isToBlame && ladder.counts(error.reason)
            }
        }
        guard let last else { return .passed(.cooling, ratings.lastFault(fitting.trailingZeroBitCount)) }
        if isToBlame { ladder.missed(tier, last, last.cause, since: now, at: now) }
        return .passed(last, last.cause)
    }

    private func cooling(_ places: UInt64, at now: Instant) -> UInt64 {
        var cooling: UInt64 = 0
        forEach(places) { if ratings.cools($0, at: now) { cooling |= 1 << UInt64($0) } }
        return cooling
    }

    /// The models that may be asked, and what was missing at the last of the others.
    private func fit(
        _ open: UInt64, _ call: Call, _ walk: Walk, at now: Instant
    ) -> (places: UInt64, missing: Reason?) {
        // No place has its bit then.
        guard open != 0 else { return (0, nil) }
        var places: UInt64 = 0, missing: Reason?
        let needs = call.needs, own = self.call(call, at: open.trailingZeroBitCount), tokens = own.tokens.total
        forEach(open) { place in
            let row = ratings.rows[place]
            if row.quality < needs.quality || row.quality <= walk.qualityAbove {
                missing = .belowQuality
            } else if row.window != 0, row.window < tokens || row.window <= walk.windowAbove {
                missing = .windowTooSmall
            } else if let value = needs.value, ratings.cost(place, own, at: now) > value {
                missing = .aboveValue
            } else {
                places |= 1 << UInt64(place)
            }
        }
        return (places, missing)
    }

    /// An attempt begins: what was paid for it goes back if no model is asked, or it is the first that one is.
    private func begin(_ place: Int, _ walk: inout Walk, _ budgets: BudgetChain, because reason: Reason?) {
        let row = rungs.rows[tier(of: place)]
        if row.isModel {
            walk.hasAskedModel = true
        } else if walk.isPaid {
            budgets.restore()
        }
        walk.isPaid = false
        walk.mode = row.mode.because(reason ?? walk.steppedFor ?? walk.mode?.reason)
    }

    private func next(after tier: Int, _ reason: Reason?, _ cause: Outcome.Cause) -> Int? {
        if rungs.rows[tier].hasFallbacks, reason != nil, cause != .none, let named = fallbacks[tier][cause] {
            return named
        }
        return rungs.rows[tier].following
    }
}

extension Reason {
    /// What a gate's refusal is to the fallbacks of a tier.
    fileprivate var cause: Outcome.Cause {
        switch self {
        case .concurrencyLimited, .queueFull, .queuedTooLong, .loadShed, .saturated: .overloaded
        case .rateLimited: .rateLimited
        case .quotaExhausted: .quotaExhausted
        case .keyRetired: .authentication
        case .spendLimit: .spendLimit
        default: .none
        }
    }
}
