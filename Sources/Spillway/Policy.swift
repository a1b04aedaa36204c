public import SpillwayCore

/// How a service makes one kind of call: which gates every attempt passes, how often it is tried, where, and for how long.
///
/// A policy is one value without generic parameters, to be kept in a property and shared by all callers. Its parts are
/// given outermost first. It runs one loop over the decisions of its parts: one awaited closure per attempt.
public struct Policy: Sendable {
    @usableFromInline let core: PolicyCore

    /// A policy.
    ///
    /// - Parameters:
    ///   - name: What reports call it, 1 to 200 bytes.
    ///   - classifier: Says what an error tells about the target; see `Classifier.standard`.
    ///   - observer: Told of every call that has ended; nobody by default.
    ///   - time: Where the time comes from; the machine by default.
    ///   - parts: Deadline, retry, hedge, gates, targets and limits of an attempt, outermost first.
    /// - Throws: `ConfigurationError` for an order that cannot work, with the reason; or what `parts` throws.
    public init(
        _ name: String, classifier: Classifier = .standard, observer: (any Observer)? = nil,
        time: any TimeSource = .system,
        @PolicyBuilder _ parts: () throws(ConfigurationError) -> [PolicyBuilder.Part]
    ) throws(ConfigurationError) {
        try Validation("Policy").name(name)
        core = PolicyCore(name, try PolicyPlan(try parts()), classifier, observer, time)
    }

    /// What reports call the policy.
    public var name: String { core.name }

    /// Makes a call.
    ///
    /// With a `Hedge`, an `AttemptTimeout` or a `Deadline` that cancels, each attempt runs in a task of its own, with the
    /// task-local values and (with a `Hedge`: in builds by Swift 6.3 or later) the task executor of the caller. All of them
    /// have ended when this returns. What an attempt does before its first suspension runs on the caller's thread: for so
    /// long it can't be hedged.
    ///
    /// - Parameters:
    ///   - call: Its tokens, its key, whether it may be repeated, and whether its answer streams.
    ///   - judge: Says what an answer that came tells about the target; by default every answer is a success. One that is
    ///     not may be tried again; it is returned when no other attempt is allowed or let through, and lost when a limit or a
    ///     cancellation ends the call before the next.
    ///   - operation: One attempt. It should end soon when it is cancelled: it is waited for.
    /// - Throws: `PolicyError` with the operation's own last error in it.
    @inlinable @inline(__always)
    public func run<Success: Sendable, Failure: Error>(
        _ call: Call = Call(), judge: (@Sendable (Success) -> Outcome)? = nil,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        var flow = core.begin(recorded: false)
        return try await run(call, &flow, judge, operation)
    }

    /// Makes a call and says what happened to it.
    ///
    /// The parameters are those of ``run(_:judge:_:)``.
    public func reported<Success: Sendable, Failure: Error>(
        _ call: Call = Call(), judge: (@Sendable (Success) -> Outcome)? = nil,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async -> (result: Result<Success, PolicyError<Failure>>, report: CallReport) {
        var flow = core.begin(recorded: true)
        do throws(PolicyError<Failure>) {
            let value = try await run(call, &flow, judge, operation)
            return (.success(value), core.report(flow))
        } catch {
            return (.failure(error), core.report(flow))
        }
    }

    /// Makes a call whose attempts run in the caller's own task, for middlewares whose `next` cannot leave it.
    ///
    /// So it is never hedged, and no limit cancels it: the deadline alone decides until when attempts begin, and
    /// `Attempt.remaining` tells them how long they have until then; an `AttemptTimeout` does nothing. The parameters are
    /// those of ``run(_:judge:_:)``.
    ///
    /// - Throws: The operation's last error where there is one; else `Rejection`, `CancellationError`, or the
    ///   `PolicyError` of a deadline that passed before the operation began.
    public func perform<Success>(
        _ call: Call = Call(), judge: ((Success) -> Outcome)? = nil, _ operation: (Attempt) async throws -> Success
    ) async throws -> Success {
        var flow = core.begin(recorded: false)
        do {
            return try await loop(call, &flow, judge, operation)
        } catch {
            switch error {
            case .cancelled: throw CancellationError()
            case .rejected(let rejection, nil): throw rejection
            default: throw error.underlying ?? error
            }
        }
    }

    @inlinable @inline(__always)
    func run<Success: Sendable, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: (@Sendable (Success) -> Outcome)?,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        if core.cancelsAttempts { return try await runApart(call, &flow, judge, operation) }
        return try await loop(call, &flow, judge, operation)
    }

    /// Makes a call whose attempts run in tasks of their own.
    @inlinable @inline(never)
    func runApart<Success: Sendable, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: (@Sendable (Success) -> Outcome)?,
        _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        // `withoutActuallyEscaping` does not know typed errors.
        let result: Result<Success, PolicyError<Failure>> = await withoutActuallyEscaping(operation) { operation in
            do throws(PolicyError<Failure>) {
                return .success(
                    try await loop(call, &flow, judge, operation) { await race(call, &$0, judge, operation) })
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
