#if HTTPClientSupport
internal import Spillway

/// A bound on the time of operations that end soon after their task is cancelled, as those of AsyncHTTPClient do.
struct Cutoff: Sendable {
    let deadline: Instant
    let time: any TimeSource
    /// Whether it is the caller who stops waiting: then to be late says nothing about the target.
    var isCallers = false

    /// What being late says about the target.
    var outcome: Outcome { isCallers ? .neutral(.timeout) : .failure(.timeout) }

    private enum Step<Value: Sendable>: Sendable {
        case ended(Value)
        case due
        case stopped
    }

    /// Runs `operation`, cancels it at the deadline, and returns what it made of that and whether it was late.
    func cancelling<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value
    ) async -> (value: Value, late: Bool) {
        await withTaskGroup(of: Step<Value>.self) { group in
            group.addTask { .ended(await operation()) }
            group.addTask {
                do { try await time.sleep(until: deadline) } catch { return .stopped }
                return .due
            }
            var late = false
            var value: Value?
            for await step in group {
                switch step {
                case .ended(let ended): value = ended
                case .due: late = value == nil
                case .stopped: continue
                }
                group.cancelAll()
            }
            return (value!, late)
        }
    }

    /// Runs `operation` and cancels it at the deadline.
    ///
    /// - Throws: What it threw, or a timeout with the text `what` when it ended after the deadline.
    func run<Value: Sendable>(
        or what: String, _ operation: @escaping @Sendable () async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        let (result, late) = await cancelling { () async -> Result<Value, UpstreamError> in
            do throws(UpstreamError) { return .success(try await operation()) } catch { return .failure(error) }
        }
        // Even a success: the cancellation may have reached what the operation goes on to use, such as a body.
        if late { throw UpstreamError(what, outcome) }
        return try result.get()
    }
}
#endif
