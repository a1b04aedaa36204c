/// One attempt of a call, as the operation sees it.
public struct Attempt: Sendable {
    /// 1 for the first attempt, 2 for the first retry, and so on.
    public let number: Int
    /// The call, as it was given to the policy.
    public let call: Call
    /// When the attempt began.
    public let started: Instant
    /// When the whole call must have ended; nil: never.
    public let deadline: Instant?
    /// The target that was chosen for this attempt; nil when the policy has no targets.
    public let target: String?

    /// An attempt.
    public init(number: Int, call: Call, started: Instant, deadline: Instant? = nil, target: String? = nil) {
        self.number = number
        self.call = call
        self.started = started
        self.deadline = deadline
        self.target = target
    }

    /// The time that was left for the call when the attempt began; nil when there is no deadline.
    ///
    /// Never negative.
    ///
    /// Hand it to the transport as its timeout.
    public var remaining: Duration? {
        deadline.map { max(.zero, started.duration(to: $0)) }
    }
}
