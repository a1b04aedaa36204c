import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct PolicyReportTests {
    private let time = ManualTime()
    private let again = Call(idempotency: .idempotent)

    private func failing(_ policy: Policy, _ cause: Outcome.Cause, _ call: Call) async -> CallReport {
        await whileTimePasses(time) {
            await policy.reported(call) { _ throws(Trouble) -> Void in throw Trouble(cause) }.report
        }
    }

    @Test func everyEndingHasItsReason() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .constant(.seconds(1)), budget: .unlimited)
        }
        #expect(await failing(policy, .timeout, again).ending == .attemptsExhausted)
        #expect(await failing(policy, .invalidRequest, again).ending == .notRetryable)
        #expect(await failing(policy, .timeout, Call()).ending == .mayHaveBegun)
        #expect(await failing(policy, .cancelled, again).ending == .cancelled)
        let poor = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(budget: try RetryBudget("none", .init(ratio: 0, burst: 0, minimumPerSecond: 0)))
        }
        #expect(await failing(poor, .timeout, again).ending == .budgetExhausted)
        let bare = try makePolicy(time) {}
        #expect(await failing(bare, .timeout, again).ending == .notRetryable)
        let (result, report) = await bare.reported { $0.number }
        #expect(try result.get() == 1)
        #expect(report.ending == .completed)
        #expect(report.policy == "test")
    }

    @Test func attemptsSayToWhichReplicaTheyWent() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none, budget: .unlimited)
        }
        let (_, report) = await policy.reported(again) { attempt in
            if attempt.number == 1 { throw Trouble(.transport) }
            attempt.goes(to: "gpu-7")
            attempt.goes(to: "the first counts")
        }
        #expect(report.attempts.map(\.replica) == [nil, "gpu-7"])
        try await policy.perform { $0.goes(to: "nobody reads it") }
    }

    @Test func aRefusedCallTellsWhoRefused() async throws {
        let observer = RecordingObserver()
        let gate = CountingGate("full")
        gate.refuses = true
        let policy = try makePolicy(time, observer: observer) { Gates(gate) }
        let (_, report) = await policy.reported { _ in }
        #expect(report.attempts.isEmpty)
        #expect(report.rejections.map(\.gate.description) == ["full"])
        #expect(report.ending == .other)
        #expect(observer.reports.count == 1)
        await #expect(throws: Rejection.self) { try await policy.perform { _ in } }
        #expect(observer.reports.count == 2)
    }

    @Test func attemptsHaveTheirTimesAndTargets() async throws {
        let start = time.now
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 2, backoff: .constant(.seconds(2)))
            Targets(.ladder, [Target("a"), Target("b")])
        }
        let (_, report) = await whileTimePasses(time) {
            await policy.reported(again) { attempt in
                try await time.sleep(until: time.now.advanced(by: .seconds(3)))
                if attempt.number == 1 { throw Trouble(.transport) }
            }
        }
        #expect(report.attempts.map(\.target) == ["a", "b"])
        #expect(report.attempts.map(\.outcome) == [.failure(.transport), .success])
        #expect(report.attempts.map { start.duration(to: $0.started) } == [.zero, .seconds(5)])
        #expect(report.attempts.map { $0.started.duration(to: $0.ended) } == [.seconds(3), .seconds(3)])
        #expect(report.waited == .seconds(2))
        #expect(start.duration(to: report.ended) == .seconds(8))
    }

    @Test func gatesInShadowModeReportAndLetPass() async throws {
        let observer = RecordingObserver()
        let bucket = try TokenBucket(
            "shadow", .init(rate: .perDay(1), burst: 1, shadow: true), observer: observer)
        let keyed = try KeyedTokenBucket(
            "keyed", .init(rate: .perDay(1), burst: 2, keys: 10, shadow: true), observer: observer)
        let policy = try makePolicy(time, observer: observer) { Gates(bucket, keyed) }
        for _ in 0..<5 { #expect(try await policy.perform { $0.number } == 1) }
        #expect(observer.shadowed.filter { $0.gate.description == "shadow" }.count == 4)
        #expect(observer.shadowed.filter { $0.gate.description == "keyed" }.count == 3)
        #expect(observer.reports.allSatisfy { $0.ending == .completed && $0.rejections.isEmpty })
    }

    @Test func performThrowsTheOperationsOwnError() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Deadline(.seconds(10))
            try Retry(upTo: 3, backoff: .constant(.seconds(6)))
        }
        await whileTimePasses(time) {
            await #expect(throws: Trouble(.timeout, number: 2)) {
                // The third attempt would begin after the deadline.
                try await policy.perform(again) { throw Trouble(.timeout, number: $0.number) }
            }
            await #expect(throws: Trouble(.invalidRequest)) {
                try await policy.perform(again) { _ in throw Trouble(.invalidRequest) }
            }
        }
        let past = CallContext(deadline: time.now)
        await CallContext.$current.withValue(past) {
            await #expect(throws: PolicyError<any Error>.self) { try await policy.perform { _ in } }
        }
    }

    @Test func aRetryThatAGateRefusesCostsNothing() async throws {
        let budget = try RetryBudget("budget", .init(ratio: 0, burst: 3, minimumPerSecond: 0))
        let gate = CountingGate()
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .constant(.seconds(1)), budget: budget)
            Gates(gate)
        }
        let (result, report) = await whileTimePasses(time) {
            await policy.reported(again) { _ throws(Trouble) -> Void in
                gate.refuses = true
                throw Trouble(.serverError, number: 1)
            }
        }
        guard case .failure(.rejected(_, let last?)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(last.number == 1)
        #expect(report.attempts.count == 1 && report.rejections.count == 1)
        #expect(budget.balance(at: time.now) == 3)
    }

    /// A timer that fires late is no reason to begin after the deadline, nor to keep the budget.
    @Test func anAttemptThatWouldBeginTooLateIsNotMade() async throws {
        let budget = try RetryBudget("budget", .init(ratio: 0, burst: 3, minimumPerSecond: 0))
        let gate = CountingGate()
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Deadline(.seconds(10))
            try Retry(upTo: 3, backoff: .constant(.seconds(1)), budget: budget)
            Gates(gate)
        }
        let call = Task {
            await policy.reported(again) { _ throws(Trouble) -> Void in throw Trouble(.serverError) }
        }
        await time.waitForSleepers()
        time.advance(by: .seconds(10))
        let (result, report) = await call.value
        guard case .failure(.timedOut(.deadline, .some)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(report.ending == .deadlineExceeded)
        #expect(report.waited == .seconds(10))
        #expect(gate.counts.admitted == 1)
        #expect(budget.balance(at: time.now) == 3)
    }

    @Test func aLoneTargetIsTriedAgain() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 2, backoff: .none, budget: .unlimited)
            Targets(.rotating, [Target("only")])
        }
        let report = await failing(policy, .overloaded, Call())
        #expect(report.attempts.map(\.target) == ["only", "only", "only"])
    }

    @Test func aRefusalIsWaitedOutWhenRetryIsToldTo() async throws {
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1), burst: 1))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, on: [.rejected], budget: .unlimited)
            Gates(bucket)
        }
        let start = time.now
        await whileTimePasses(time) {
            for _ in 0..<3 { _ = try? await policy.perform { _ in } }
        }
        #expect(start.duration(to: time.now) == .seconds(2))
    }
}
