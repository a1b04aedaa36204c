public import SpillwayCore

extension FairQueue {
    /// Makes a call when all of `gates` let it through, waiting for them where they are full, and settles them with how it ended.
    ///
    /// For a queue alone; in a `Policy` it is one of the parts.
    ///
    /// - Parameters:
    ///   - call: Whose it is, how much it matters, what it takes.
    ///   - gates: All of them, or none and nothing is taken.
    ///   - deadline: Until when the call may wait; the deadline of the running task, if that is earlier. By default only the
    ///     configuration says.
    ///   - classifier: Says what an error tells the gates.
    ///   - time: Where the time comes from; the machine by default.
    ///   - operation: The call.
    /// - Throws: `Rejection` of a gate, or of the queue (`queueFull`, `queuedTooLong`, `loadShed`, and `deadlineExceeded` when it
    ///   was the deadline); `CancellationError` when the task is cancelled while it waits; what `operation` throws.
    public func run<Value>(
        _ call: Call = Call(), through gates: any Gate..., until deadline: Instant? = nil,
        classifier: Classifier = .standard, time: any TimeSource = .system, _ operation: () async throws -> Value
    ) async throws -> Value {
        var permits: [RawPermit] = []
        func attempt(_ now: Instant) -> Trial {
            do throws(Rejection) {
                for gate in gates { permits.append(try gate.admit(call, at: now).take()) }
                return .letThrough
            } catch {
                while let permit = permits.popLast() { permit.settle(nil, at: now) }
                return Self.waits(for: error.reason) ? .waits(error) : .refused(error)
            }
        }
        try await enter(call, CallContext.earliest(deadline), time, attempt)
        func settle(_ outcome: Outcome) {
            let now = time.now
            while let permit = permits.popLast() { permit.settle(outcome, at: now) }
            free(at: now)
        }
        do {
            let value = try await operation()
            settle(.success)
            return value
        } catch {
            settle(Task.isCancelled ? .neutral(.cancelled) : classifier(error))
            throw error
        }
    }

    private func enter(
        _ call: Call, _ deadline: Instant?, _ time: any TimeSource, _ attempt: (Instant) -> Trial
    ) async throws {
        let now = time.now
        var tried = mayTry
        if let deadline, deadline <= now { throw Rejection(gate, .deadlineExceeded, retryAfter: -1) }
        if tried != nil {
            switch attempt(now) {
            case .letThrough: return
            case .refused(let rejection): throw rejection
            case .waits(let rejection): tried?.rejection = rejection
            }
        }
        switch await wait(call, tried: tried, until: deadline, from: now, time, attempt) {
        case .letThrough: return
        case .refused(let rejection), .dropped(let rejection): throw rejection
        case .late: throw Rejection(gate, .deadlineExceeded, retryAfter: -1)
        case .cancelled: throw CancellationError()
        }
    }
}
