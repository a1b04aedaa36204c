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
    /// Time spent in a queue, waiting for gates.
    public let queued: Duration
    /// The attempts, in the order in which they began.
    public let attempts: [AttemptRecord]
    /// Refusals on the way: by gates of targets that were passed over, or the one that ended the call.
    public let rejections: [Rejection]
    /// The tiers that a router passed over or that failed, in order, each with its reason.
    public let steps: [ServiceStep]
    /// The tier of the last attempt; nil without a router, or when none was made.
    public let mode: ServiceMode?

    package init(
        policy: String, started: Instant, ended: Instant, ending: Reason, waited: Duration, queued: Duration = .zero,
        attempts: [AttemptRecord], rejections: [Rejection], steps: [ServiceStep] = [], mode: ServiceMode? = nil
    ) {
        self.policy = policy
        self.started = started
        self.ended = ended
        self.ending = ending
        self.waited = waited
        self.queued = queued
        self.attempts = attempts
        self.rejections = rejections
        self.steps = steps
        self.mode = mode
    }

    /// One attempt.
    public struct AttemptRecord: Sendable {
        /// The target, nil when the policy has none.
        public let target: String?
        /// The replica of the target, where that stands for several; nil when nobody told.
        public let replica: String?
        /// 1 for the first, 2 for the first retry, and so on; hedges bear the number of the attempt that they stand beside.
        public let number: Int
        /// 0 for the attempt itself, 1 for the first hedge beside it, and so on.
        public let hedge: Int
        /// When it began.
        public let started: Instant
        /// When its first content came; nil when none did, or nobody told.
        public let firstContent: Instant?
        /// When it ended.
        public let ended: Instant
        /// How it ended.
        public let outcome: Outcome

        package init(
            target: String?, replica: String? = nil, number: Int, hedge: Int = 0, started: Instant,
            firstContent: Instant? = nil, ended: Instant, outcome: Outcome
        ) {
            self.target = target
            self.replica = replica
            self.number = number
            self.hedge = hedge
            self.started = started
            self.firstContent = firstContent
            self.ended = ended
            self.outcome = outcome
        }
    }
}
