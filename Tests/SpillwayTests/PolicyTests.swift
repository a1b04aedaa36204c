import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct PolicyTests {
    private let time = ManualTime()
    private let again = Call(idempotency: .idempotent)

    @Test func allGatesOrNone() async throws {
        for refusing in 0..<3 {
            let gates = (0..<3).map { CountingGate("gate-\($0)") }
            gates[refusing].refuses = true
            let policy = try makePolicy(time) { Gates(gates) }
            do throws(PolicyError<Never>) {
                try await policy.run { _ in _ = Issue.record("ran") }
                Issue.record("admitted")
            } catch {
                guard case .rejected(let rejection, nil) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(rejection.gate.description == "gate-\(refusing)")
                #expect(rejection.retryAfter == .seconds(3))
            }
            for (index, gate) in gates.enumerated() {
                let charged = index < refusing ? 1 : 0
                #expect(gate.counts == .init(admitted: charged, settled: 0, voided: charged))
            }
        }
    }

    @Test func aBucketRefusedLaterIsGivenBack() async throws {
        let bucket = try TokenBucket("b", .init(rate: .perDay(1), burst: 5))
        let gate = CountingGate()
        gate.refuses = true
        let policy = try makePolicy(time) { Gates(bucket, gate) }
        for _ in 0..<20 { _ = await policy.reported { _ in } }
        #expect(bucket.available(at: time.now) == 5)
    }

    @Test func retriesUntilItSucceedsAndReports() async throws {
        let observer = RecordingObserver()
        let gate = CountingGate()
        let policy = try makePolicy(time, observer: observer) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .constant(.seconds(2)))
            Gates(gate)
        }
        let (result, report) = await whileTimePasses(time) {
            await policy.reported(again) { attempt throws(Trouble) in
                if attempt.number < 3 { throw Trouble(.serverError) }
                return attempt.number
            }
        }
        #expect(try result.get() == 3)
        #expect(report.attempts.map(\.outcome.cause) == [.serverError, .serverError, .none])
        #expect(report.waited == .seconds(4))
        #expect(report.ending == .completed)
        #expect(report.started.duration(to: report.ended) == .seconds(4))
        #expect(observer.reports.count == 1)
        #expect(gate.counts == .init(admitted: 3, settled: 3, voided: 0))
    }

    @Test func theLastRealErrorSurvives() async throws {
        let budget = try RetryBudget("empty", .init(ratio: 0, burst: 1, minimumPerSecond: 0))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 5, backoff: .none, budget: budget)
        }
        do throws(PolicyError<Trouble>) {
            try await policy.run(again) { attempt throws(Trouble) in throw Trouble(.timeout, number: attempt.number) }
        } catch {
            guard case .exhausted(.budgetExhausted, 2, let last) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(last.number == 2)
        }
        await #expect(throws: Trouble(.timeout, number: 1)) {
            try await policy.perform(again) { attempt in throw Trouble(.timeout, number: attempt.number) }
        }
    }

    @Test func theTargetThatFailedIsAvoided() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, budget: .unlimited)
            Targets(.ladder, [Target("a"), Target("b"), Target("c")])
        }
        var asked: [String] = []
        _ = try? await policy.perform(again) { attempt in
            asked.append(attempt.target!)
            throw Trouble(.serverError)
        }
        #expect(asked == ["a", "b", "c", "a"])  // the one that has failed is asked again when there is no other
    }

    @Test func noTargetIsAskedBeforeThePauseItAskedFor() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 2, backoff: .none, budget: .unlimited)
            Targets(.ladder, [Target("a"), Target("b")])
        }
        let began = time.now
        let asked = await whileTimePasses(time) {
            var asked: [(String, Duration)] = []
            _ = try? await policy.perform(again) { attempt in
                asked.append((attempt.target!, began.duration(to: attempt.started)))
                throw attempt.number == 1 ? Trouble(.rateLimited, retryAfter: .seconds(30)) : Trouble(.serverError)
            }
            return asked
        }
        #expect(asked.map(\.0) == ["a", "b", "a"])
        #expect(asked[1].1 == .zero)
        #expect(asked[2].1 >= .seconds(30))
    }

    @Test func aTargetThatRefusesIsPassedOverAtNoCost() async throws {
        let gates = ["a", "b", "c"].map { CountingGate($0) }
        gates[0].refuses = true
        gates[1].refuses = true
        let shared = CountingGate("shared")
        let policy = try makePolicy(time) {
            Gates(shared)
            Targets(.ladder, gates.map { Target($0.name, $0) })
        }
        let (result, report) = await policy.reported { $0.target }
        #expect(try result.get() == "c")
        #expect(report.rejections.map(\.gate.description) == ["a", "b"])
        gates[2].refuses = true
        let (refused, _) = await policy.reported { $0.target }
        #expect(throws: PolicyError<Never>.self) { try refused.get() }
        #expect(shared.counts == .init(admitted: 2, settled: 1, voided: 1))
    }

    @Test func rotatingTargetsTakeTurns() async throws {
        let policy = try makePolicy(time) { Targets(.rotating, ["a", "b", "c"].map { Target($0) }) }
        var asked: [String] = []
        for _ in 0..<6 { asked.append(try await policy.perform { $0.target! }) }
        #expect(asked == ["a", "b", "c", "a", "b", "c"])
    }

    @Test func anAnswerThatIsNotGoodEnoughIsTriedAgain() async throws {
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 2, backoff: .none, on: [.unacceptable])
        }
        let judge: @Sendable (Int) -> Outcome = { $0 < 3 ? .neutral(.unacceptable) : .success }
        #expect(try await policy.run(again, judge: judge) { $0.number } == 3)
        #expect(try await policy.run(again, judge: { _ in .neutral(.unacceptable) }, { $0.number }) == 3)
    }

    @Test func doomedWorkIsNotBegun() async throws {
        let gate = CountingGate()
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Deadline(.seconds(5))
            try Retry(upTo: 3, backoff: .constant(.seconds(3)))
            Gates(gate)
        }
        let (result, report) = await whileTimePasses(time) {
            await policy.reported(again) { _ throws(Trouble) in throw Trouble(.timeout) }
        }
        #expect(throws: PolicyError<Trouble>.self) { try result.get() }
        #expect(report.ending == .deadlineExceeded)
        #expect(report.attempts.count == 2)  // a third would begin after the deadline
        let past = CallContext(deadline: time.now)
        let (late, _) = await CallContext.$current.withValue(past) {
            await policy.reported { _ throws(Trouble) in Issue.record("ran") }
        }
        guard case .failure(.timedOut(.deadline, nil)) = late else {
            Issue.record("\(late)")
            return
        }
        #expect(gate.isWhole)
    }

    @Test func theNearerDeadlineHoldsInside() async throws {
        let outer = try makePolicy(time) { () throws(ConfigurationError) in try Deadline(.seconds(5)) }
        let inner = try makePolicy(time) { () throws(ConfigurationError) in try Deadline(.seconds(60)) }
        let bare = try makePolicy(time) {}
        let seen = try await outer.run { attempt in
            [attempt.remaining, try await inner.run { $0.remaining }, try await bare.run { $0.remaining }]
        }
        #expect(seen == [.seconds(5), .seconds(5), .seconds(5)])
    }
}
