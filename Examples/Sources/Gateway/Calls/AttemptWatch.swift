import Spillway
import SpillwayHTTPClient
import Synchronization

/// Follows one attempt: how far it has come, and how long it may still take.
final class AttemptWatch: Sendable {
    /// How far an answer has come.
    enum Stage: Int, Sendable, Comparable {
        /// No content yet: another attempt would go unnoticed.
        case waiting
        case content
        /// A finish reason came: nothing is missing but the end mark.
        case finished
        case done

        /// Orders stages by time.
        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var stage = Stage.waiting
        /// Something was passed on to the client.
        var isCommitted = false
        /// It is the client that is waited for, not the upstream.
        var isBlocked = false
        var until: Instant
    }

    private let state: Mutex<State>
    private let limits: AttemptLimits
    private let end: Instant
    private let endIsDeadline: Bool
    private let time: any TimeSource

    /// A watch over `attempt`, which began at its `started`.
    ///
    /// - Parameter streamed: Whether there is a first content to wait for before the end.
    init(_ attempt: Attempt, _ limits: AttemptLimits, streamed: Bool, time: any TimeSource = .system) {
        let most = attempt.started.advanced(by: limits.attempt)
        let deadline = attempt.deadline ?? .distantFuture
        end = min(most, deadline)
        endIsDeadline = deadline < most
        let first = streamed ? attempt.started.advanced(by: limits.firstContent) : end
        state = Mutex(State(until: min(first, end)))
        self.limits = limits
        self.time = time
    }

    /// How far the answer has come.
    var stage: Stage { state.withLock { $0.stage } }

    /// Whether something was passed on to the client.
    var isCommitted: Bool { state.withLock { $0.isCommitted } }

    /// The upstream has sent something; the next must come within the stall time, once content has come.
    func reached(_ stage: Stage) {
        let next = min(time.now.advanced(by: limits.stall), end)
        state.withLock { state in
            state.stage = max(state.stage, stage)
            if state.stage > .waiting { state.until = next }
        }
    }

    /// Waits while `send` passes something on to the client: that time is not the upstream's.
    func passing(_ send: () async -> Void) async {
        state.withLock {
            $0.isCommitted = true
            $0.isBlocked = true
        }
        await send()
        let next = min(time.now.advanced(by: limits.stall), end)
        state.withLock {
            $0.isBlocked = false
            $0.until = next
        }
    }

    /// Runs `work`, and cancels it when it takes too long.
    ///
    /// - Throws: What `work` throws, or an `UpstreamError` that says which limit was met.
    func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask(operation: work)
            group.addTask { throw try await self.expiry() }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    /// Returns when a limit has been met.
    private func expiry() async throws -> UpstreamError {
        while true {
            let now = time.now
            let (until, isBlocked, stage) = state.withLock { ($0.until, $0.isBlocked, $0.stage) }
            if now >= end {
                // Neither a caller in a hurry nor a slow client says anything about the upstream.
                return .timedOut("the whole answer", countsAgainstUpstream: !isBlocked && !endIsDeadline)
            }
            if !isBlocked, now >= until {
                let missing = stage == .waiting ? "the first content" : "the next chunk"
                return .timedOut(missing, countsAgainstUpstream: true)
            }
            // No limit moves to earlier than a stall time from now, so that looking this often misses none.
            let soon = now.advanced(by: limits.stall)
            try await time.sleep(until: min(end, isBlocked ? soon : min(until, soon)))
        }
    }
}
