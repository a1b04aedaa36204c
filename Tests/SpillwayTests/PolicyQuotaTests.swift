import Admission
import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// What attempts say they used reaches gates that count tokens.
@Suite struct PolicyQuotaTests {
    private struct Failed: OutcomeError {
        var outcome = Outcome.failure(.serverError)
    }

    private let call = Call(tokens: .estimate(input: 300, maxOutput: 500), idempotency: .idempotent)

    private func left(_ quota: Quota, at now: Instant) -> [Int] { quota.standing(at: now).map(\.remaining) }

    @Test func everyAttemptIsHeldAndSettledWithWhatItUsed() async throws {
        let time = ManualTime()
        let quota = try Quota("q", .init(requests: .perDay(10), tokens: .perDay(10_000), concurrency: 2), at: time.now)
        let bucket = try TokenBucket("b", .init(rate: .perDay(10_000), burst: 10_000, unit: .tokens))
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none, budget: .unlimited)
            Gates(quota, bucket)
        }
        try await policy.run(call) { attempt in
            #expect(quota.callsUnderWay == 1)
            if attempt.number == 1 {
                attempt.used(Usage(input: 300))
                throw Failed()
            }
            attempt.used(Usage(input: 200, output: 1))
            attempt.used(Usage(input: 300, output: 700))
        }
        #expect(left(quota, at: time.now) == [8, 10_000 - 300 - 1_000, 2])
        #expect(bucket.available(at: time.now) == 10_000 - 300 - 1_000)
    }

    @Test func aGateThatRefusesLaterGivesAllOfItBack() async throws {
        let time = ManualTime()
        let quota = try Quota("q", .init(requests: .perDay(10), tokens: .perDay(10_000)), at: time.now)
        let empty = try TokenBucket("b", .init(rate: .perDay(1), burst: 1, unit: .tokens))
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in Gates(quota, empty) }
        await #expect(throws: PolicyError<any Error>.self) { try await policy.run(call) { _ in throw Failed() } }
        #expect(left(quota, at: time.now) == [10, 10_000] && quota.callsUnderWay == 0)
    }

    /// A quota of the day is not tried again, and another target takes the call.
    @Test func aTargetWhoseQuotaIsUsedUpIsPassedOver() async throws {
        let time = ManualTime()
        let spent = try Quota("a", at: time.now), other = try Quota("b", at: time.now)
        spent.learn(
            ProviderSignals(.openAI, status: 429, headers: { _ in nil }, body: "insufficient_quota".utf8, now: 0),
            at: time.now)
        let policy = try Policy("p", time: time) { () throws(ConfigurationError) in
            Targets(.ladder, [Target("a", gates: [spent]), Target("b", gates: [other])])
        }
        let (_, report) = await policy.reported(call) { attempt in #expect(attempt.target == "b") }
        #expect(report.rejections.map(\.reason) == [.quotaExhausted] && report.attempts.count == 1)
    }
}
