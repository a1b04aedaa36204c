#if HTTPClientSupport
internal import Spillway

/// The clocks that run while one attempt reads a stream.
struct StreamClocks: Sendable {
    /// What the policy gave; it may have limits of its own.
    private let attempt: Attempt
    /// Under the relay's limits.
    private let own: Attempt
    /// How long usage may take to follow the last finish reason, and the end of the body to follow the end mark.
    private let afterFinish: Attempt
    private let afterEnd: Attempt
    /// The replica of a fleet where the attempt is made, which is told when the first content has come; nil: none.
    private let visit: FleetVisit?
    private let time: any TimeSource
    /// What is waited for.
    private enum Phase {
        /// The answer.
        case answer
        /// What may follow a whole one.
        case tail
        /// Nothing of the target any more.
        case over
    }
    private var phase = Phase.answer

    // Only these are never refused.
    private static let patience = (
        finish: try? AttemptTimeout(stall: .seconds(1)), end: try? AttemptTimeout(stall: .milliseconds(100))
    )

    init(_ attempt: Attempt, _ limits: AttemptTimeout?, _ time: any TimeSource, at visit: FleetVisit? = nil) {
        let now = time.now
        self.visit = visit
        self.time = time
        func watched(_ limits: AttemptTimeout?, until deadline: Instant? = nil) -> Attempt {
            var copy = Attempt(number: attempt.number, call: attempt.call, started: now, deadline: deadline)
            copy.watch = AttemptWatch(limits, deadline: deadline, streams: true, time: time, at: now)
            return copy
        }
        self.attempt = attempt
        own = watched(limits, until: attempt.remaining.map { now.advanced(by: $0) })
        afterFinish = watched(Self.patience.finish)
        afterEnd = watched(Self.patience.end)
    }

    /// The limit that was met; nil: none.
    var exceeded: TimeLimit? { own.watch?.exceeded ?? attempt.watch?.exceeded }

    /// Runs `body` in a task of its own, which is cancelled when a limit is met.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let (own, afterFinish, afterEnd) = (own.watch!, afterFinish.watch!, afterEnd.watch!)
        return await own.child { await afterFinish.run { await afterEnd.run { await body() } } }
    }

    /// Cuts the attempt off when its replica is to be left, unless no other could go on with what was passed on.
    func followHandOver() {
        visit?.whenHandedOver { [weak watch = own.watch] in watch?.leave() }
    }

    /// Asks to pass the answer on; see ``Attempt/commit(resumable:)``.
    func commit(resumable: Bool) -> Bool {
        own.commit(resumable: resumable) && attempt.commit(resumable: resumable)
    }

    /// Content came.
    func received(tokens: Int) {
        if let visit, !visit.hasContent { visit.firstContent(at: time.now) }
        attempt.received(tokens: tokens)
        own.received(tokens: tokens)
    }

    /// Runs `body`, which does what is not the target's to hurry with.
    func pausing<Value, Failure: Error>(_ body: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        switch phase {
        case .answer: try await attempt.pausing { () async throws(Failure) in try await own.pausing(body) }
        case .tail: try await afterFinish.pausing { () async throws(Failure) in try await afterEnd.pausing(body) }
        case .over: try await attempt.pausing(body)
        }
    }

    /// Whether the task was cancelled because nothing followed a whole answer for long.
    ///
    /// Inside of ``pausing(_:)`` it stays as it is.
    var isTailOver: Bool {
        phase == .tail && (afterFinish.watch?.exceeded != nil || afterEnd.watch?.exceeded != nil)
    }

    /// The answer is whole: from here on no limit counts but a moment's patience.
    mutating func finish() {
        phase = .tail
        afterFinish.received()
    }

    /// The end mark has come.
    func end() { afterEnd.received() }

    /// Nothing more is read.
    mutating func close() { phase = .over }
}
#endif
