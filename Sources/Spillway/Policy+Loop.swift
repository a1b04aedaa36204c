internal import Hedging
internal import SpillwayCore

extension Policy {
    /// The loop of every call.
    ///
    /// - Parameters:
    ///   - call: What gates are told.
    ///   - flow: The state of the call.
    ///   - judge: Says what an answer tells about the target.
    ///   - operation: One attempt, for the task of the call.
    ///   - apart: Makes an attempt in a task of its own, and others beside it; nil: attempts run in the task of the call.
    @inlinable @inline(__always)
    func loop<Success, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: ((Success) -> Outcome)?,
        _ operation: (Attempt) async throws(Failure) -> Success,
        apart: ((inout Flow) async -> Made<Success, Failure>)? = nil
    ) async throws(PolicyError<Failure>) -> Success {
        var last: Failure?
        // What came before tiers that had no answer: what the call comes to when none of them has one.
        var real: Made<Success, Failure>?
        while true {
            var entry = core.enter(call, &flow)
            if case .queued = entry { entry = await core.wait(call, &flow) }
            switch entry {
            case .admitted, .queued:
                let made =
                    if let apart { await apart(&flow) } else { await attempt(call, &flow, judge, operation) }
                if made.outcome.verdict == .success, case .success(let value) = made.result {
                    core.finish(&flow, .completed)
                    return value
                }
                if let reason = core.resolve(made.outcome, call, &flow) {
                    if made.outcome.cause == .noAnswer, let refusal = core.refusalBehind(&flow) {
                        core.finish(&flow, refusal.reason)
                        throw .rejected(refusal, last: nil)
                    }
                    let made = made.outcome.cause == .noAnswer ? real ?? made : made
                    core.finish(&flow, made.limit?.reason ?? reason)
                    return try made.ended(reason, attempts: core.number(&flow))
                }
                if made.outcome.cause != .noAnswer || real == nil {
                    if made.outcome.cause != .noAnswer { last = made.failure }
                    real = made
                }
            case .rejected(let rejection):
                if core.reconsider(rejection, call, &flow) != nil {
                    core.finish(&flow, rejection.reason)
                    if let real, case .success(let value) = real.result { return value }
                    throw .rejected(rejection, last: last)
                }
            case .late:
                core.finish(&flow, .deadlineExceeded)
                throw .timedOut(.deadline, last: last)
            case .cancelled:
                core.finish(&flow, .cancelled)
                throw .cancelled(last: last)
            }
            guard await core.pause(&flow) else {
                core.finish(&flow, .cancelled)
                throw .cancelled(last: last)
            }
        }
    }

    /// Makes an attempt in the task of the call.
    @inlinable @inline(__always)
    func attempt<Success, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: ((Success) -> Outcome)?,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async -> Made<Success, Failure> {
        let attempt = core.attempt(call, &flow)
        let made: Made<Success, Failure>
        do throws(Failure) {
            let value =
                if let context = core.context(&flow) {
                    try await context.bound { () async throws(Failure) in try await operation(attempt) }.get()
                } else {
                    try await operation(attempt)
                }
            made = Made(.success(value), judge?(value) ?? .success)
        } catch {
            made = Made(.failure(error), core.outcome(of: error))
        }
        core.settle(made.outcome, &flow)
        return made
    }

    /// Makes an attempt in a task of its own, and others beside it as the hedge has it.
    @inlinable
    func race<Success: Sendable, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: (@Sendable (Success) -> Outcome)?,
        _ operation: @escaping @Sendable (Attempt) async throws(Failure) -> Success
    ) async -> Made<Success, Failure> {
        let core = core, legs = core.legs(call, &flow), context = core.context(&flow)
        @Sendable func run(_ attempt: Attempt) async -> Made<Success, Failure> {
            await Self.run(legs[attempt.hedge]!, attempt, core, judge, operation)
        }
        defer { core.gather(legs, &flow) }
        let leg = legs[0]!, first = leg.attempt
        guard let hedge = core.hedge else {
            return await ChildTask.run(telling: context, under: leg.watch) { await run(first) }
        }
        let ending = await hedge.race(first, telling: context, budgets: core.budgets(&flow), time: core.time) {
            (attempt) async throws(Made<Success, Failure>) -> Made<Success, Failure> in
            let made = await run(attempt)
            guard made.outcome.verdict == .success else { throw made }
            return made
        } another: { hedge, now in
            core.enterHedge(hedge, call, flow, legs, at: now)
        }
        switch ending {
        case .succeeded(let made), .failed(let made): return made
        case .abandoned: preconditionFailure("a policy waits for the losers of its hedge")
        }
    }

    /// Runs one attempt to its end, in its own task, and settles it.
    @inlinable
    static func run<Success: Sendable, Failure: Error>(
        _ leg: Leg, _ attempt: Attempt, _ core: PolicyCore,
        _ judge: (@Sendable (Success) -> Outcome)?,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async -> Made<Success, Failure> {
        let result: Result<Success, Failure>
        do throws(Failure) {
            let value = try await leg.watch.run { () async throws(Failure) -> Success in
                try await operation(attempt)
            }
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        let limit = leg.watch.exceeded
        let outcome: Outcome
        switch (limit, result) {
        // Even a success: its task was cancelled, and what it goes on to use may be too.
        case (let limit?, _): outcome = limit.outcome
        case (nil, .success(let value)): outcome = judge?(value) ?? .success
        case (nil, .failure(let error)): outcome = core.outcome(of: error)
        }
        core.settle(outcome, leg)
        return Made(result, outcome, limit: limit)
    }
}
