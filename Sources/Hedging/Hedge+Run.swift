public import SpillwayCore

extension Hedge {
    /// Runs `operation`, and again beside it when it takes long.
    ///
    /// - Parameters:
    ///   - call: Says whether the operation may be made twice; without that it is never hedged.
    ///   - deadline: When not to start a hedge any more; that of the task's `CallContext` counts if it is earlier.
    ///   - time: Where the time comes from.
    ///   - operation: One attempt, told by its `hedge`: 0 is the first, 1 the first hedge. Send a hedge elsewhere. Each runs in
    ///     a task of its own, with the task-local values and (in builds by Swift 6.3 or later) the task executor of the caller.
    ///     What it does before its first suspension runs on the caller's thread: for so long it is neither hedged nor cancelled
    ///     with the caller. One whose answer streams asks `commit(resumable:)` before it passes anything on.
    /// - Throws: `PolicyError.operation` with the error of the first attempt when all failed; `PolicyError.cancelled` when the
    ///   caller was cancelled and the first attempt did not end within the grace period of ``Losers/reaped(grace:)``.
    @inlinable
    public func run<Success: Sendable, Failure: Error>(
        _ call: Call = Call(), deadline: Instant? = nil, time: any TimeSource = .system,
        _ operation: @escaping @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        let deadline = CallContext.earliest(deadline)
        let began = time.now, (budgets, paysIn) = core.entered
        if paysIn { budget.deposit(at: began) }
        let first = Attempt(number: 1, call: call, started: began, deadline: deadline)
        let context = CallContext(
            deadline: deadline, budgets: budgets, criticality: CallContext.current?.criticality)
        let ending = await race(first, telling: context, budgets: budgets, time: time, operation) { index, now in
            Attempt(number: 1, hedge: index, call: call, started: now, deadline: deadline)
        }
        switch ending {
        case .succeeded(let value): return value
        case .failed(let failure): throw .operation(failure)
        case .abandoned: throw .cancelled(last: nil)
        }
    }

    /// What came of a call.
    public enum Ending<Success: Sendable, Failure: Error>: Sendable {
        /// The first success.
        case succeeded(Success)
        /// The error of the first attempt, which failed as all others did, or was cancelled with its caller; or that of the
        /// one that had begun to pass its answer on.
        case failed(Failure)
        /// The caller was cancelled, and went without waiting for its first attempt.
        case abandoned
    }

    /// Runs an attempt, and others beside it when it takes long: the driver, for those that do more for each attempt.
    ///
    /// Nothing is paid into the budget.
    ///
    /// - Parameters:
    ///   - first: The first attempt.
    ///   - context: What attempts are told of the calls around them; nil: what the caller was told.
    ///   - budgets: What hedges are drawn from; ``budget`` alone by default.
    ///   - time: Where the time comes from.
    ///   - operation: One attempt. Whatever it must settle, it settles before it returns.
    ///   - another: Makes the attempt of hedge 1, 2 or 3, in the caller's task, just before it starts; nil when it cannot be
    ///     made, and then the budget has it back and the call gets no other.
    @inlinable
    public func race<Success: Sendable, Failure: Error>(
        _ first: Attempt, telling context: CallContext? = nil, budgets: BudgetChain? = nil, time: any TimeSource,
        _ operation: @escaping @Sendable (Attempt) async throws(Failure) -> Success,
        another: (_ hedge: Int, _ now: Instant) -> Attempt?
    ) async -> Ending<Success, Failure> {
        let board = Board(core, time, first.started)
        let task = ChildTask.start(telling: context) { await Self.perform(first, board, operation) }
        if board.isOver { return await Self.ending(board, task, []) }
        var hedges: [Task<Result<Success, Failure>, Never>] = []
        await oversee(first, board, budgets) { index, now in
            guard let attempt = another(index, now) else { return false }
            hedges.append(
                ChildTask.start(telling: context) { await Self.perform(attempt, board, operation) })
            return true
        } cancel: { spared in
            if spared != 0 { task.cancel() }
            for (index, hedge) in hedges.enumerated() where spared != index + 1 { hedge.cancel() }
        }
        let ending = await Self.ending(board, task, hedges)
        if !board.isLeft {
            // All have posted their end, but their tasks may still hold on to the operation, which the caller lends.
            _ = await task.value
            for hedge in hedges { _ = await hedge.value }
        }
        return ending
    }

    /// Runs one attempt to its end.
    @inlinable
    static func perform<Success: Sendable, Failure: Error>(
        _ attempt: Attempt, _ board: Board,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async -> Result<Success, Failure> {
        do throws(Failure) {
            let value = try await operation(board.entrant(attempt))
            board.end(attempt.hedge, succeeded: true)
            return .success(value)
        } catch {
            board.end(attempt.hedge, succeeded: false)
            return .failure(error)
        }
    }

    /// What came of a call that is over.
    @inlinable
    static func ending<Success: Sendable, Failure: Error>(
        _ board: Board, _ first: Task<Result<Success, Failure>, Never>,
        _ hedges: [Task<Result<Success, Failure>, Never>]
    ) async -> Ending<Success, Failure> {
        guard let verdict = board.verdict else { return .abandoned }
        // It has ended, so this does not wait.
        let task = verdict == 0 ? first : hedges[verdict - 1]
        switch await task.value {
        case .success(let value): return .succeeded(value)
        case .failure(let failure): return .failed(failure)
        }
    }

    /// Waits for the attempts of a call, starts hedges, and cancels losers.
    @usableFromInline
    func oversee(
        _ first: Attempt, _ board: Board, _ budgets: BudgetChain?,
        start: (_ hedge: Int, _ now: Instant) -> Bool, cancel: (_ butFor: Int?) -> Void
    ) async {
        let deadline = first.deadline
        var progress = begin(first.call, deadline: deadline, at: first.started)
        await withTaskCancellationHandler {
            var alarm = Alarm()
            // What matters until the first wait is when the attempt began: no need to read the clock again.
            var now = first.started
            while true {
                let news = board.look()
                (progress.ended, progress.won) = (news.ended, news.winner != nil)
                (progress.committed, progress.cancelled) = (news.committed, news.cancelled)
                switch decide(&progress, deadline: deadline, budgets: budgets, at: now) {
                case .wait(let until):
                    alarm.set(until, board)
                    await board.wait(beyond: news)
                    if board.ended < progress.started { now = board.time.now }
                case .start:
                    if !start(progress.started - 1, now) { giveBack(&progress, budgets: budgets) }
                case .cancelLosers:
                    cancel(news.winner)
                case .cancelPending:
                    cancel(nil)
                case .finish:
                    alarm.cancel()
                    if progress.pending > 0 { core.reaper.take(progress.started - board.leave().ended) }
                    return
                }
            }
        } onCancel: {
            board.cancel()
        }
    }
}
