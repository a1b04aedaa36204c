extension AttemptTimeout {
    /// Runs `operation` in a child task, and cancels it when it meets a limit.
    ///
    /// The deadline of a caller further out (``CallContext/current``) is one of the limits. The operation is awaited: one that
    /// ignores that it was cancelled holds up its caller.
    ///
    /// - Parameters:
    ///   - call: What is known of the call; first content, stall and token rate count only if it streams.
    ///   - time: Where the time comes from.
    ///   - operation: What to do. It tells of content with ``Attempt/received(tokens:)``.
    /// - Returns: What the operation returned before it met a limit.
    /// - Throws: `PolicyError.timedOut` with the limit that was met, and what the operation threw, if it was begun and did
    ///   throw; else `PolicyError.operation`.
    @inlinable
    public func run<Success: Sendable, Failure: Error>(
        _ call: Call = Call(), time: any TimeSource = .system,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        guard let attempt = attempt(time) else { throw .timedOut(.deadline, last: nil) }
        return try await attempt.run(call, attempt.watch(self, call, time), operation)
    }

    /// The attempt, which begins now; nil when the deadline is past.
    @usableFromInline
    func attempt(_ time: any TimeSource) -> LimitedAttempt? {
        let now = time.now, deadline = CallContext.current?.deadline
        if let deadline, now >= deadline { return nil }
        return LimitedAttempt(started: now, deadline: deadline, context: nil)
    }
}
