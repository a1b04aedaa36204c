public import SpillwayCore

extension Hedge {
    /// What one hedged call has come to.
    ///
    /// Its driver fills in what happens: ``ended``, ``won``, ``committed`` and ``cancelled``.
    public struct Progress: Sendable, Hashable {
        /// Attempts that were started, the first included.
        public internal(set) var started = 1
        /// Attempts that have ended.
        public var ended = 0
        /// Whether one of them succeeded, or has begun to pass its answer on.
        public var won = false
        /// Whether that one still runs.
        public var committed = false
        /// Whether the caller was cancelled.
        public var cancelled = false
        /// When the next hedge is due; nil: there will be none.
        public internal(set) var due: Instant?
        /// Which of the attempts that run were told to end.
        var told = Told.none
        /// How long to wait for attempts that were told to end; nil: until they do.
        var patience: Instant?
        let delay: Duration

        enum Told: Sendable, Hashable { case none, losers, all }

        /// Attempts that run.
        public var pending: Int { started - ended }
    }

    /// What to do next for a call.
    public enum Step: Sendable, Hashable {
        /// Wait until something happens, and no longer than until the given time, if there is one.
        case wait(until: Instant?)
        /// Start another attempt; the budget was charged. When it cannot be started, say so to ``Hedge/giveBack(_:budgets:)``.
        case start
        /// Cancel what runs, but for the attempt that has begun to pass its answer on.
        case cancelLosers
        /// Cancel what runs.
        case cancelPending
        /// The call is over; what still runs is left to itself.
        case finish
    }

    /// A call that began its first attempt at `now`.
    ///
    /// - Parameters:
    ///   - call: Whether it may be made twice; if not, it gets no hedge.
    ///   - deadline: No hedge is started from then on; nil: never mind.
    ///   - now: When the first attempt began.
    public func begin(_ call: Call, deadline: Instant? = nil, at now: Instant) -> Progress {
        guard call.idempotency.allowsRepetition, let nanoseconds = core.clock.nanoseconds(call, at: now) else {
            return Progress(delay: .zero)
        }
        let delay = Duration.nanoseconds(nanoseconds), due = now.advanced(by: delay)
        return Progress(due: deadline.map { due < $0 } ?? true ? due : nil, delay: delay)
    }

    /// Decides what is next, given what happened and the time: the pure core of the driver.
    ///
    /// Ask again after every step; after a wait, whatever ended it.
    ///
    /// - Parameters:
    ///   - progress: What happened.
    ///   - deadline: No hedge is started from then on; nil: never mind.
    ///   - budgets: What a hedge is drawn from; ``budget`` alone by default.
    ///   - now: The time.
    public func decide(
        _ progress: inout Progress, deadline: Instant? = nil, budgets: BudgetChain? = nil, at now: Instant
    ) -> Step {
        if progress.pending == 0 { return .finish }
        if progress.committed && !progress.cancelled { return .losing(&progress) }
        if progress.won || progress.cancelled { return .ending(&progress, losers, at: now) }
        guard let due = progress.due else { return .wait(until: nil) }
        if now < due { return .wait(until: due) }
        progress.due = nil
        let budgets = budgets ?? core.chain
        guard deadline.map({ now < $0 }) ?? true, core.spareCapacity?() ?? true, budgets.withdraw(at: now) else {
            return .wait(until: nil)
        }
        progress.started += 1
        if progress.started <= limit { progress.due = now.advanced(by: progress.delay) }
        return .start
    }

    /// Takes back the start of an attempt that could not be made: the budget has it again, and the call gets no other.
    ///
    /// - Parameters:
    ///   - progress: What happened.
    ///   - budgets: What it was drawn from; ``budget`` alone by default.
    public func giveBack(_ progress: inout Progress, budgets: BudgetChain? = nil) {
        (budgets ?? core.chain).restore()
        progress.started -= 1
        progress.due = nil
    }
}

extension Hedge.Step {
    /// The next step while an attempt passes its answer on: that one is waited for, as long as it takes.
    fileprivate static func losing(_ progress: inout Hedge.Progress) -> Hedge.Step {
        guard progress.told == .none, progress.pending > 1 else { return .wait(until: nil) }
        progress.told = .losers
        return .cancelLosers
    }

    /// The next step when what runs is of no more use.
    fileprivate static func ending(
        _ progress: inout Hedge.Progress, _ losers: Hedge.Losers, at now: Instant
    ) -> Hedge.Step {
        if progress.told != .all {
            progress.told = .all
            if case .reaped(let grace) = losers { progress.patience = now.advanced(by: grace) }
            return .cancelPending
        }
        if let patience = progress.patience, now >= patience { return .finish }
        return .wait(until: progress.patience)
    }
}
