/// One attempt under limits, outside of any policy.
///
/// Written in one piece, because every async function between the caller and the operation costs as much as the operation's
/// own call.
@usableFromInline
struct LimitedAttempt {
    @usableFromInline let started: Instant
    @usableFromInline let deadline: Instant?
    /// What the operation is told of through its task; nil when it knows already.
    @usableFromInline let context: CallContext?

    init(started: Instant, deadline: Instant?, context: CallContext?) {
        self.started = started
        self.deadline = deadline
        self.context = context
    }

    /// Runs the operation in the caller's task, and cancels nothing.
    @inlinable
    func tell<Success, Failure: Error>(
        _ call: Call, _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        let attempt = Attempt(number: 1, call: call, started: started, deadline: deadline)
        guard let context else {
            do throws(Failure) { return try await operation(attempt) } catch { throw .operation(error) }
        }
        // `withValue` does not know typed errors.
        let result: Result<Success, Failure> = await CallContext.$current.withValue(context) {
            do throws(Failure) { return .success(try await operation(attempt)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw .operation(error)
        }
    }

    /// Runs the operation in a task of its own, and cancels that when it meets a limit.
    @inlinable
    func run<Success: Sendable, Failure: Error>(
        _ call: Call, _ watch: AttemptWatch, _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        let attempt = watched(call, watch)
        let result: Result<Success, Failure> = await ChildTask.run(telling: context, under: watch) {
            watch.begin()
            let result: Result<Success, Failure>
            do throws(Failure) { result = .success(try await operation(attempt)) } catch { result = .failure(error) }
            if watch.end() { await watch.cancellation() }
            return result
        }
        switch (result, watch.exceeded) {
        case (.success(let value), nil): return value
        case (.success, let limit?): throw .timedOut(limit, last: nil)
        case (.failure(let error), nil): throw .operation(error)
        case (.failure(let error), let limit?): throw .timedOut(limit, last: error)
        }
    }

    /// What watches over the attempt.
    @usableFromInline
    func watch(_ limits: AttemptTimeout?, _ call: Call, _ time: any TimeSource) -> AttemptWatch {
        AttemptWatch(limits, deadline: deadline, streams: call.streams, time: time, at: started)
    }

    @usableFromInline
    func watched(_ call: Call, _ watch: AttemptWatch) -> Attempt {
        var attempt = Attempt(number: 1, call: call, started: started, deadline: deadline)
        attempt.watch = watch
        return attempt
    }
}
