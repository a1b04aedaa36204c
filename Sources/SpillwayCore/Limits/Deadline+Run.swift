extension Deadline {
    /// Runs `operation`, and cancels it when the deadline has come.
    ///
    /// The deadline begins now. That of a caller further out counts if it is earlier, and whatever the operation calls is
    /// told of the earliest (``CallContext/current``). The operation is awaited: one that ignores that it was cancelled
    /// holds up its caller.
    ///
    /// - Parameters:
    ///   - call: What is known of the call; nothing by default.
    ///   - time: Where the time comes from.
    ///   - operation: What to do, in a child task; in the caller's own when the deadline is cooperative.
    /// - Returns: What the operation returned before the deadline. When it is cooperative, what it returned.
    /// - Throws: `PolicyError.timedOut` with what the operation threw, if it was begun and did throw, when there was too
    ///   little time to begin, or the deadline came first; else `PolicyError.operation`.
    @inlinable
    public func run<Success: Sendable, Failure: Error>(
        _ call: Call = Call(), time: any TimeSource = .system,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        guard let attempt = attempt(time) else { throw .timedOut(.deadline, last: nil) }
        if isCooperative { return try await attempt.tell(call, operation) }
        return try await attempt.run(call, attempt.watch(nil, call, time), operation)
    }

    /// The attempt, which begins now; nil when it has too little time.
    @usableFromInline
    func attempt(_ time: any TimeSource) -> LimitedAttempt? {
        let now = time.now, current = CallContext.current
        var deadline = now.later(nanoseconds), context: CallContext?
        if let inherited = current?.deadline, inherited <= deadline {
            deadline = inherited
        } else {
            context = CallContext(
                deadline: deadline, budgets: current?.budgets ?? .none, criticality: current?.criticality)
        }
        guard now < latestStart(before: deadline) else { return nil }
        return LimitedAttempt(started: now, deadline: deadline, context: context)
    }

    /// From when on an attempt would have less time than it needs until `deadline`.
    package func latestStart(before deadline: Instant) -> Instant {
        least == 0 ? deadline : deadline.later(1 - least)
    }
}
