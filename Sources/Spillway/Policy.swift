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
    ///   - parts: Deadline, retry, gates and targets, outermost first.
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
    /// - Parameters:
    ///   - call: Its tokens, its key, and whether it may be repeated.
    ///   - judge: Says what an answer that came tells about the target; by default every answer is a success. One that is
    ///     not may be tried again; it is returned when no other attempt is allowed, and lost when a gate, the deadline or a
    ///     cancellation ends the call before the next.
    ///   - operation: One attempt. It must not outlive its cancellation.
    /// - Throws: `PolicyError` with the operation's own last error in it.
    @inlinable
    public func run<Success, Failure: Error>(
        _ call: Call = Call(), judge: ((Success) -> Outcome)? = nil,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        var flow = core.begin(recorded: false)
        return try await run(call, &flow, judge, operation)
    }

    /// Makes a call and says what happened to it.
    ///
    /// The parameters are those of ``run(_:judge:_:)``.
    public func reported<Success, Failure: Error>(
        _ call: Call = Call(), judge: ((Success) -> Outcome)? = nil,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async -> (result: Result<Success, PolicyError<Failure>>, report: CallReport) {
        var flow = core.begin(recorded: true)
        do throws(PolicyError<Failure>) {
            let value = try await run(call, &flow, judge, operation)
            return (.success(value), core.report(flow))
        } catch {
            return (.failure(error), core.report(flow))
        }
    }

    /// Makes a call, for callers that expect the operation's own errors.
    ///
    /// The parameters are those of ``run(_:judge:_:)``.
    ///
    /// - Throws: The operation's last error where there is one; else `Rejection`, `CancellationError`, or the
    ///   `PolicyError` of a deadline that passed before the operation began.
    public func perform<Success>(
        _ call: Call = Call(), judge: ((Success) -> Outcome)? = nil, _ operation: (Attempt) async throws -> Success
    ) async throws -> Success {
        do {
            return try await run(call, judge: judge, operation)
        } catch {
            switch error {
            case .cancelled: throw CancellationError()
            case .rejected(let rejection, nil): throw rejection
            default: throw error.underlying ?? error
            }
        }
    }

    @inlinable
    func run<Success, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ judge: ((Success) -> Outcome)?,
        _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(PolicyError<Failure>) -> Success {
        var last: Failure?
        while true {
            switch core.enter(call, &flow) {
            case .admitted:
                let reason: Reason?
                do throws(Failure) {
                    let value = try await attempt(call, &flow, operation)
                    let outcome = judge?(value) ?? .success
                    if outcome.verdict == .success {
                        core.succeed(&flow)
                        return value
                    }
                    last = nil
                    reason = core.resolve(outcome, call, &flow)
                    if let reason {
                        core.finish(&flow, reason)
                        return value
                    }
                } catch {
                    last = error
                    reason = core.fail(error, call, &flow)
                    if let reason {
                        core.finish(&flow, reason)
                        throw PolicyError(ended: reason, attempts: core.number(&flow), error)
                    }
                }
            case .rejected(let rejection):
                if core.reconsider(rejection, call, &flow) != nil {
                    core.finish(&flow, rejection.reason)
                    throw .rejected(rejection, last: last)
                }
            case .late:
                core.finish(&flow, .deadlineExceeded)
                throw .timedOut(.deadline, last: last)
            }
            guard await core.pause(&flow) else {
                core.finish(&flow, .cancelled)
                throw .cancelled(last: last)
            }
        }
    }

    /// Runs the operation once, and tells its task of a deadline that this policy has set.
    @inlinable
    func attempt<Success, Failure: Error>(
        _ call: Call, _ flow: inout Flow, _ operation: (Attempt) async throws(Failure) -> Success
    ) async throws(Failure) -> Success {
        let attempt = core.attempt(call, &flow)
        guard let context = core.context(&flow) else { return try await operation(attempt) }
        // `withValue` does not know typed errors.
        let result: Result<Success, Failure> = await CallContext.$current.withValue(context) {
            do throws(Failure) { return .success(try await operation(attempt)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension PolicyError {
    /// The error that a call ends with when `reason` forbids another attempt.
    @usableFromInline
    init(ended reason: Reason, attempts: Int, _ last: Failure) {
        self.init(reason, attempts: attempts, last)
    }
}
