/// How long a whole call may take, with all its attempts and the waits between them.
///
/// After it no attempt begins, no wait goes past it, and attempts that still run are cancelled. A cooperative deadline
/// cancels nothing: it bounds when attempts begin and what they are told (``Attempt/remaining``), in the caller's own task
/// and for about a sixth of the price.
///
/// Of several deadlines the earliest counts, also when it is that of a caller further out (``CallContext/deadline``).
public struct Deadline: Sendable, Hashable {
    /// The time from the start of the call.
    public var duration: Duration { .nanoseconds(nanoseconds) }
    /// The least time that an attempt needs.
    ///
    /// One that would have less is doomed, and refused before it starts.
    public var minimum: Duration { .nanoseconds(least) }
    /// Whether attempts are only told of the deadline, and never cancelled.
    public let isCooperative: Bool

    // Both in nanoseconds, since they are reckoned with on every call.
    let nanoseconds: Int64
    let least: Int64

    /// A deadline `duration` after the start of the call.
    ///
    /// - Parameters:
    ///   - duration: The time for the whole call, from 1 ms to 10 years.
    ///   - minimum: No attempt begins with less time than this before the deadline; 0 by default.
    ///   - cooperative: Whether to leave it to the operation to end in time; false by default.
    /// - Throws: `ConfigurationError` when a time is out of range, or `minimum` above `duration`.
    public init(
        _ duration: Duration, atLeast minimum: Duration = .zero, cooperative: Bool = false
    ) throws(ConfigurationError) {
        let check = Validation("Deadline")
        try check.duration(duration, "duration", atLeast: .milliseconds(1))
        try check.duration(minimum, "minimum")
        try check.require(minimum <= duration, "minimum", minimum, "at most the duration, \(duration)")
        nanoseconds = duration.clampedNanoseconds
        least = minimum.clampedNanoseconds
        isCooperative = cooperative
    }
}
