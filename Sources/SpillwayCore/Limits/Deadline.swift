/// How long a whole call may take, with all its attempts and the waits between them.
///
/// After it no attempt begins, and no wait goes past it. It does not interrupt an attempt: hand
/// ``Attempt/remaining`` to the transport as its timeout.
public struct Deadline: Sendable, Hashable {
    /// The time from the start of the call.
    public let duration: Duration

    /// A deadline `duration` after the start of the call.
    ///
    /// - Throws: `ConfigurationError` unless it is from 1 ms to 10 years.
    public init(_ duration: Duration) throws(ConfigurationError) {
        try Validation("Deadline").duration(duration, "duration", atLeast: .milliseconds(1))
        self.duration = duration
    }
}
