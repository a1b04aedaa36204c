/// What happened to one call: every attempt, every wait, and why it ended as it did.
public struct CallReport: Sendable {
    /// The policy.
    public let policy: String
    /// When the call was made.
    public let started: Instant
    /// When it ended.
    public let ended: Instant
    /// Why it ended: ``Reason/completed`` for a success.
    public let ending: Reason
    /// Time spent waiting between attempts.
    public let waited: Duration
    /// The attempts, in order.
    public let attempts: [AttemptRecord]
    /// Refusals on the way: by gates of targets that were passed over, or the one that ended the call.
    public let rejections: [Rejection]

    package init(
        policy: String, started: Instant, ended: Instant, ending: Reason, waited: Duration, attempts: [AttemptRecord],
        rejections: [Rejection]
    ) {
        self.policy = policy
        self.started = started
        self.ended = ended
        self.ending = ending
        self.waited = waited
        self.attempts = attempts
        self.rejections = rejections
    }

    /// One attempt.
    public struct AttemptRecord: Sendable {
        /// The target, nil when the policy has none.
        public let target: String?
        /// When it began.
        public let started: Instant
        /// When it ended.
        public let ended: Instant
        /// How it ended.
        public let outcome: Outcome

        package init(target: String?, started: Instant, ended: Instant, outcome: Outcome) {
            self.target = target
            self.started = started
            self.ended = ended
            self.outcome = outcome
        }
    }
}
