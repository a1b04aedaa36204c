#if HTTPClientSupport
internal import Spillway

/// The moment at which operations are cut off that end soon after their task is cancelled, as those of AsyncHTTPClient do.
///
/// `AttemptTimeout.run` is not enough here. The bound is an instant: the head of an answer and the body of its error share
/// it, and it may be any time of the caller's, also one that a configuration would refuse. And what was read of a body
/// until then is kept.
struct Cutoff: Sendable {
    let deadline: Instant
    let time: any TimeSource
    /// Whether it is the caller who stops waiting: then to be late says nothing about the target.
    var isCallers = false

    /// Runs `operation`, cancels it at the deadline, and returns what it made of that and whether it was late.
    func cancelling<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value
    ) async -> (value: Value, late: Bool) {
        let watch = AttemptWatch(nil, deadline: deadline, streams: false, time: time, at: time.now)
        let value = await watch.child(operation)
        return (value, watch.exceeded != nil)
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
        if late { throw UpstreamError(what, isCallers ? .neutral(.timeout) : .failure(.timeout)) }
        return try result.get()
    }
}
#endif
