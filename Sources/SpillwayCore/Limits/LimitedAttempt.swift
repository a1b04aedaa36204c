/// One attempt under limits, outside of any policy.
@usableFromInline
struct LimitedAttempt: Sendable {
    @usableFromInline let attempt: Attempt
    /// What the operation is told of through its task; nil when it knows already.
    @usableFromInline let context: CallContext?
    @usableFromInline let watch: AttemptWatch?

    init(
        _ call: Call, _ limits: AttemptTimeout?, deadline: Instant?, context: CallContext?, cancels: Bool,
        time: any TimeSource, at now: Instant
    ) {
        var attempt = Attempt(number: 1, call: call, started: now, deadline: deadline)
        watch = cancels
            ? AttemptWatch(limits, deadline: deadline, streams: call.streams, time: time, at: now) : nil
        attempt.watch = watch
        self.attempt = attempt
        self.context = context
    }

    /// Runs the operation, in a task of its own where it can be cancelled.
    @inlinable
    func run<Success: Sendable, Failure: Error>(
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        guard let watch else {
            switch await perform(operation) {
            case .success(let value): return value
            case .failure(let error): throw .operation(error)
            }
        }
        let result = await ChildTask.run {
            await watch.run { await perform(operation) }
        }
        let limit = watch.exceeded
        switch (result, limit) {
        case (.success(let value), nil): return value
        case (.success, let limit?): throw .timedOut(limit, last: nil)
        case (.failure(let error), nil): throw .operation(error)
        case (.failure(let error), let limit?): throw .timedOut(limit, last: error)
        }
    }

    @inlinable
    func perform<Success, Failure: Error>(
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async -> Result<Success, Failure> {
        guard let context else { return await result(operation) }
        // `withValue` does not know typed errors.
        return await CallContext.$current.withValue(context) { await result(operation) }
    }

    @inlinable
    func result<Success, Failure: Error>(
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async -> Result<Success, Failure> {
        do throws(Failure) { return .success(try await operation(attempt)) } catch { return .failure(error) }
    }
}
