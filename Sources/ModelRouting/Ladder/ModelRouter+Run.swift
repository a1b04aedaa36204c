public import SpillwayCore

extension ModelRouter {
    /// Runs `operation` down the ladder until it succeeds or nothing is left to ask, in the caller's task.
    ///
    /// For use without a `Policy`, which adds deadlines that cancel, retries, hedges, queues and reports.
    ///
    /// - Parameters:
    ///   - call: Its tokens, its needs, whether it may be repeated.
    ///   - deadline: When to give up; that of the task's `CallContext` counts if it is earlier.
    ///   - time: Where the time comes from.
    ///   - classifier: Says what an error tells about the place.
    ///   - judge: Says what an answer that came tells; by default every answer is a success.
    ///   - operation: One attempt. `Attempt.mode` says in which tier, `Attempt.target` at which model.
    /// - Returns: What the operation returned, and the tier in which it did.
    /// - Throws: `PolicyError` with the operation's own last error in it.
    public func run<Success, Failure: Error>(
        _ call: Call = Call(), deadline: Instant? = nil, time: any TimeSource = .system,
        classifier: Classifier = .standard, judge: ((Success) -> Outcome)? = nil,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> (answer: Success, mode: ServiceMode) {
        let deadline = CallContext.earliest(deadline)
        var walk = Walk(recorded: false), permits = PermitStack(), started = time.now, number = 1
        let (budgets, paysIn) = BudgetChain.current.entered(by: budget, alone: chain)
        if paysIn { budget.deposit(at: started) }
        let context = CallContext(
            deadline: deadline, budgets: budgets, criticality: CallContext.current?.criticality)
        // Tiers that have no answer do not hide what came before them.
        var last: Failure?, real: (result: Result<Success, Failure>, mode: ServiceMode)?
        while true {
            let place: Int
            if let deadline, started >= deadline {
                if walk.isPaid { budgets.restore() }
                throw .timedOut(.deadline, last: last)
            }
            do throws(Rejection) {
                place = try admit(
                    call, &walk, &permits, budgets: budgets, deadline: deadline, at: started,
                    isWorthMore: { $0.isSooner(than: $1) }, refused: { _ in })
            } catch {
                if walk.isPaid { budgets.restore() }
                if let real, case .success(let value) = real.result { return (value, real.mode) }
                throw .rejected(error, last: last)
            }
            let attempt = Attempt(
                number: number, call: self.call(call, at: place), started: started, deadline: deadline,
                target: places[place].name, mode: walk.mode)
            let result = await context.bound { () async throws(Failure) in try await operation(attempt) }
            let outcome: Outcome
            switch result {
            case .success(let value): outcome = judge?(value) ?? .success
            case .failure(let error): outcome = Task.isCancelled ? .neutral(.cancelled) : classifier.failing(error)
            }
            let ended = time.now
            permits.settle(outcome, at: ended)
            learn(
                outcome, at: place, &walk, since: started, took: call.streams ? nil : started.duration(to: ended),
                usage: nil,
                now: ended)
            started = ended
            if outcome.verdict == .success, case .success(let value) = result { return (value, walk.mode!) }
            let next: Next =
                outcome.cause == .cancelled
                ? .giveUp(.cancelled)
                : self.next(after: outcome, at: place, call, &walk, budgets: budgets, now: started)
            if outcome.cause != .noAnswer || real == nil {
                if outcome.cause != .noAnswer, case .failure(let error) = result { last = error }
                real = (result, walk.mode!)
            }
            // Gates refused all that could have answered: come back when they do not.
            if case .another = next {
            } else if walk.real?.cause == .noAnswer, let refusal = walk.refusal {
                throw .rejected(refusal, last: nil)
            }
            switch (next, real!.result) {
            case (.another, _): break
            case (_, .success(let value)): return (value, real!.mode)
            case (.giveUp(let reason), .failure(let error)):
                throw PolicyError(reason, attempts: number, error)
            case (.nothing, .failure(let error)):
                throw PolicyError(.attemptsExhausted, attempts: number, error)
            }
            number += 1
        }
    }
}
