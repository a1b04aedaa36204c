/// One attempt of a call, as the operation sees it.
public struct Attempt: Sendable {
    /// 1 for the first attempt, 2 for the first retry, and so on.
    public let number: Int
    /// 0 for the attempt itself, 1 for the first hedge beside it, and so on.
    public let hedge: Int
    /// The call, as it was given to the policy; in a tier with shorter answers, with no more output than that tier gives.
    public let call: Call
    /// When the attempt began.
    public let started: Instant
    /// When the whole call must have ended; nil: never.
    public let deadline: Instant?
    /// The target that was chosen for this attempt; nil when the policy has no targets.
    public let target: String?
    /// Which tier of a ladder this attempt is made in, and why; nil when the policy has no router.
    public let mode: ServiceMode?
    /// The tiers that were passed over or failed before this attempt; empty when nobody asked for a report.
    public package(set) var steps: [ServiceStep] = []

    /// Watches over the attempt's time; nil: nobody does.
    package var watch: AttemptWatch?
    /// Decides which of several attempts may go on; nil: there is one.
    package var arbiter: (any Arbiter)?
    /// Is told what the attempt uses; nil: nobody asks.
    package var usage: (any UsageSink)?
    /// Is told to which replica it goes; nil: nobody reads it.
    package var replica: ReplicaNote?
    /// Whether there is no other after it, however it ends.
    package var isLast = false

    /// An attempt.
    public init(
        number: Int, hedge: Int = 0, call: Call, started: Instant, deadline: Instant? = nil, target: String? = nil,
        mode: ServiceMode? = nil
    ) {
        self.number = number
        self.hedge = hedge
        self.call = call
        self.started = started
        self.deadline = deadline
        self.target = target
        self.mode = mode
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

extension Attempt {
    /// Says that content has come, for the limits that `AttemptTimeout` sets.
    ///
    /// Only content: not the head of the answer, and nothing that keeps a connection alive. From any task; once the attempt
    /// has ended it says nothing.
    ///
    /// - Parameter tokens: About how many tokens it was; 1 by default. Less than 1 is a sign of life that pays for nothing.
    public func received(tokens: Int = 1) { watch?.received(tokens) }

    /// Asks to pass the answer on, from here to its end; to be asked before anything of it reaches the caller.
    ///
    /// With hedges, the first attempt that asks may, and the others are cancelled. After it a failure of this attempt ends
    /// the call: another attempt would repeat what was passed on, or contradict it.
    ///
    /// - Parameter resumable: Whether another attempt could go on from where this one fails; then it may be tried again.
    /// - Returns: False when another attempt was first, or this one has met a limit: then end, whatever with.
    public func commit(resumable: Bool = false) -> Bool {
        // The watch first: an attempt that is over must not keep the others from going on.
        guard watch?.commit(resumable: resumable) ?? true else { return false }
        if arbiter?.commit(hedge) ?? true { return true }
        watch?.takeCommitBack()
        return false
    }

    /// Says what the attempt has used so far, for gates that count tokens or money.
    ///
    /// All of it, not what came since the last time: a stream tells its running count as often as it likes and the provider's
    /// figures at the end, and what was told last is what is charged. An attempt that says nothing is charged as estimated.
    ///
    /// - Returns: False when nothing is left to pay for more, and the attempt should stop; what it has used is charged.
    @discardableResult
    public func used(_ usage: Usage) -> Bool { self.usage?.used(usage) ?? true }

    /// Says which replica of its target it goes to, where that stands for several, for the report of the call.
    ///
    /// The first that is said counts.
    public func goes(to replica: String) { self.replica?.set(replica) }

    /// Does what is not the target's to hurry with, as writing to a slow reader: that time counts against no limit but the
    /// deadline.
    ///
    /// Waits inside of one another, or at the same time, count as one.
    public func pausing<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        watch?.pause()
        defer { watch?.resume() }
        return try await body()
    }
}
