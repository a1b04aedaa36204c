public import SpillwayCore

/// An answer that a check refused.
///
/// A policy takes it for `Outcome.neutral(.unacceptable)`: it speaks against the answer, and not against the target's health.
public struct AnswerRefused: OutcomeError, Hashable, CustomStringConvertible {
    /// The check.
    public let check: String
    /// Why.
    public let reason: String

    /// A refusal by `check`.
    public init(check: String, reason: String) {
        self.check = check
        self.reason = reason
    }

    /// What it says about the target: nothing, but that the answer was unacceptable.
    public var outcome: Outcome { .neutral(.unacceptable) }
    /// One line: the check and the reason.
    public var description: String { "\(check): \(reason)" }
}

/// The checks that answers of a kind must pass, one after the other, and what came of each.
///
/// As the `judge:` of a policy those count that answer at once:
///
///     let answer = try await policy.run(call, judge: checks.judge) { attempt in try await ask(attempt) }
///
/// then an answer that no attempt bettered is still returned. With ``verify(_:time:)`` in the operation all of them count,
/// and an answer that fails is an error like any other, so that the call escalates or ends with it.
public final class AnswerChecks<Answer: Sendable>: Sendable {
    /// What came of one check.
    public struct Count: Sendable, Hashable {
        /// The check.
        public let name: String
        /// Answers that passed.
        public internal(set) var passed = 0
        /// Answers that failed.
        public internal(set) var failed = 0
        /// Times that the check itself threw or took too long.
        public internal(set) var troubled = 0
        /// Answers that were left out, because it looks at a share.
        public internal(set) var skipped = 0
    }

    private let checks: [AnswerCheck<Answer>]
    private let random: RandomSource
    private let board: Locked<[Count]>

    /// Checks, in the order in which they are made: put the cheap ones first.
    ///
    /// - Parameters:
    ///   - checks: 1 to 64, each with a name of its own.
    ///   - random: Which answers a check looks at that looks at a share; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ checks: [AnswerCheck<Answer>], random: RandomSource = .system) throws(ConfigurationError) {
        let check = Validation("AnswerChecks")
        try check.count(checks.count, "checks.count", in: 1...64)
        var names: Set<String> = []
        for one in checks {
            try check.name(one.name)
            try check.require(names.insert(one.name).inserted, "name", "'\(one.name)'", "there once")
            try check.number(one.share, "share", in: 0...1)
            if case .asynchronous = one.body { try check.duration(one.timeout, "timeout", atLeast: .milliseconds(1)) }
        }
        self.checks = checks
        self.random = random
        board = Locked(checks.map { Count(name: $0.name) })
    }

    /// What came of each check so far, in their order.
    public var counts: [Count] { board.withLock { $0 } }

    /// What the checks that answer at once say, as an outcome for a policy's `judge:`.
    ///
    /// Asynchronous ones are left out.
    public func judge(_ answer: Answer) -> Outcome {
        do {
            for index in checks.indices { try immediately(index, answer) }
            return .success
        } catch {
            return error.outcome
        }
    }

    /// Makes all checks, until one fails.
    ///
    /// - Throws: ``AnswerRefused``; `CancellationError` when the task is cancelled during an asynchronous one.
    public func verify(_ answer: Answer, time: any TimeSource = .system) async throws {
        for index in checks.indices {
            guard case .asynchronous(let body) = checks[index].body else {
                try immediately(index, answer)
                continue
            }
            guard takes(index) else { continue }
            let verdict = await OneOfTwo.run(within: checks[index].timeout, time) { try? await body(answer) }
            // Whoever has gone needs no verdict, and the check is not to blame.
            if verdict == nil, Task.isCancelled { throw CancellationError() }
            try settle(index, verdict)
        }
    }

    private func immediately(_ index: Int, _ answer: Answer) throws(AnswerRefused) {
        guard case .immediate(let body) = checks[index].body, takes(index) else { return }
        try settle(index, try? body(answer))
    }

    private func takes(_ index: Int) -> Bool {
        let share = checks[index].share
        if share >= 1 || Double(random.next() >> 11) * 0x1p-53 < share { return true }
        board.withLock { $0[index].skipped += 1 }
        return false
    }

    private func settle(_ index: Int, _ verdict: AnswerCheck<Answer>.Verdict?) throws(AnswerRefused) {
        switch verdict {
        case .passed: board.withLock { $0[index].passed += 1 }
        case .failed(let reason):
            board.withLock { $0[index].failed += 1 }
            throw AnswerRefused(check: checks[index].name, reason: reason)
        case nil:
            board.withLock { $0[index].troubled += 1 }
            if checks[index].trouble == .fails {
                throw AnswerRefused(check: checks[index].name, reason: "the check itself failed")
            }
        }
    }
}
