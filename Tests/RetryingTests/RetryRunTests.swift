import Retrying
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct RetryRunTests {
    private let time = EagerTime()
    private let again = Call(idempotency: .idempotent)

    private func makeRetry(
        upTo limit: Int = 3, _ backoff: Backoff? = nil, budget: RetryBudget? = nil, maximumHint: Duration = .seconds(60)
    ) throws -> Retry {
        let wait = try backoff ?? .constant(.seconds(1))
        return try Retry(upTo: limit, backoff: wait, budget: budget ?? makeBudget(burst: 100), maximumHint: maximumHint)
    }

    /// How a call that always fails with `trouble` ends.
    private func ending(
        _ retry: Retry, _ trouble: Trouble, _ call: Call, deadline: Instant? = nil
    ) async -> PolicyError<Trouble>? {
        do throws(PolicyError<Trouble>) {
            try await retry.run(call, deadline: deadline, time: time) { attempt throws(Trouble) -> Void in
                throw Trouble(trouble.outcome.cause, retryAfter: trouble.outcome.retryAfter, attempt: attempt.number)
            }
            return nil
        } catch {
            return error
        }
    }

    @Test func itStopsAtTheFirstSuccess() async throws {
        let retry = try makeRetry()
        let number = try await retry.run(again, time: time) { attempt throws(Trouble) -> Int in
            if attempt.number < 3 { throw Trouble(.serverError) }
            return attempt.number
        }
        #expect(number == 3)
        #expect(time.slept == [.seconds(1), .seconds(1)])
        #expect(retry.budget.balance(at: time.now) == 98)
    }

    @Test func attemptsKnowTheirNumberTheirStartAndTheDeadline() async throws {
        let start = time.now, deadline = start.advanced(by: .seconds(60))
        var seen: [Attempt] = []
        _ = try? await makeRetry().run(again, deadline: deadline, time: time) { attempt throws(Trouble) -> Void in
            seen.append(attempt)
            throw Trouble(.timeout)
        }
        #expect(seen.map(\.number) == [1, 2, 3, 4])
        #expect(seen.map(\.started) == (0...3).map { start.advanced(by: .seconds($0)) })
        #expect(seen.allSatisfy { $0.deadline == deadline })
        #expect(seen.last?.remaining == .seconds(57))
    }

    @Test func theDeadlineOfTheTaskIsKept() async throws {
        let retry = try makeRetry(upTo: 50)
        let deadline = time.now.advanced(by: .seconds(5))
        let error = await CallContext.$current.withValue(CallContext(deadline: deadline)) {
            do throws(PolicyError<Trouble>) {
                try await retry.run(again, time: time) { attempt throws(Trouble) -> Void in
                    throw Trouble(.timeout, attempt: attempt.number)
                }
                return PolicyError<Trouble>?.none
            } catch {
                return error
            }
        }
        guard case .timedOut(.deadline, let last) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(last?.attempt == 5)
        #expect(time.now < deadline)
    }

    /// Once it came back after 8 s.
    @Test func aHintOf120SecondsIsKeptOrGivenUpAtOnce() async throws {
        let asked = Trouble(.rateLimited, retryAfter: .seconds(120))
        let kept = await ending(try makeRetry(upTo: 2, maximumHint: .seconds(300)), asked, Call())
        #expect(time.slept == [.seconds(120), .seconds(120)])
        guard case .exhausted(.attemptsExhausted, 3, let last) = kept else {
            Issue.record("\(String(describing: kept))")
            return
        }
        #expect(last.attempt == 3)
        let long = await ending(try makeRetry(), asked, Call())
        guard case .exhausted(.hintTooLong, 1, _) = long else {
            Issue.record("\(String(describing: long))")
            return
        }
        let deadline = time.now.advanced(by: .seconds(119))
        let doomed = await ending(try makeRetry(maximumHint: .seconds(300)), asked, Call(), deadline: deadline)
        guard case .timedOut(.deadline, .some) = doomed else {
            Issue.record("\(String(describing: doomed))")
            return
        }
        #expect(time.slept.count == 2)
    }

    @Test func workThatMayHaveBegunIsNotTriedAgain() async throws {
        for cause in [Outcome.Cause.timeout, .transport, .serverError] {
            let error = await ending(try makeRetry(), Trouble(cause), Call())
            guard case .operation(let trouble) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(trouble.attempt == 1)
        }
        let error = await ending(try makeRetry(), Trouble(.connect), Call())
        #expect(error?.underlying?.attempt == 4)
        #expect(error?.reason == .attemptsExhausted)
    }

    @Test func theLastRealErrorSurvivesAnEmptyBudget() async throws {
        let error = await ending(try makeRetry(budget: try makeBudget(burst: 1)), Trouble(.timeout), again)
        guard case .exhausted(.budgetExhausted, 2, let last) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(last == Trouble(.timeout, attempt: 2))
    }

    @Test func everyCallPaysInOnce() async throws {
        let budget = try makeBudget(burst: 0, ratio: 0.5)
        let retry = try makeRetry(Backoff.none, budget: budget)
        for _ in 0..<4 { try await retry.run(again, time: time) { _ in } }
        #expect(budget.balance(at: time.now) == 2)
        _ = await ending(retry, Trouble(.timeout), again)  // pays in a half, and takes two
        #expect(abs(budget.balance(at: time.now) - 0.5) < 0.001)  // what was paid in fades a little
    }

    @Test func cancellationWhileItWaitsGivesTheBudgetBack() async throws {
        let manual = ManualTime()
        let budget = try makeBudget(burst: 5)
        let retry = try makeRetry(try .constant(.seconds(60)), budget: budget)
        let attempts = Counter()
        let call = Task {
            do throws(PolicyError<Trouble>) {
                try await retry.run(again, time: manual) { _ throws(Trouble) -> Void in
                    attempts.add()
                    throw Trouble(.overloaded)
                }
                return PolicyError<Trouble>?.none
            } catch {
                return error
            }
        }
        await manual.waitForSleepers()
        #expect(budget.balance(at: manual.now) == 4)
        call.cancel()
        guard case .cancelled(.some(Trouble(.overloaded))) = await call.value else {
            Issue.record("not cancelled")
            return
        }
        #expect(attempts.total == 1)
        #expect(budget.balance(at: manual.now) == 5)
    }

    @Test func aCancelledOperationIsNotTriedAgain() async throws {
        let budget = try makeBudget(burst: 5)
        let retry = try makeRetry(budget: budget)
        let attempts = Counter()
        let call = Task { [time] in
            try await retry.run(again, time: time) { _ in
                attempts.add()
                withUnsafeCurrentTask { $0?.cancel() }
                throw Trouble(.connect)  // what a transport makes of it
            }
        }
        await #expect(throws: (any Error).self) { try await call.value }
        #expect(attempts.total == 1)
        await #expect(throws: (any Error).self) {
            try await retry.run(again, time: time) { _ in
                attempts.add()
                throw CancellationError()
            }
        }
        #expect(attempts.total == 2)
        #expect(budget.balance(at: time.now) == 5)
        #expect(time.slept.isEmpty)
    }

    /// A thousand callers fail at one instant; who waits has paid before.
    @Test func theBudgetIsChargedBeforeTheWait() async throws {
        let manual = ManualTime(), failing = manual.now.advanced(by: .seconds(1))
        let budget = try makeBudget(burst: 10, ratio: 0.2)
        let retry = try Retry(upTo: 5, backoff: .constant(.seconds(5)), budget: budget)
        let attempts = Counter(), ended = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1_000 {
                group.addTask {
                    try? await retry.run(again, time: manual) { attempt in
                        attempts.add()
                        try await manual.sleep(until: failing)
                        throw Trouble(.overloaded)
                    }
                    ended.add()
                }
            }
            await manual.waitForSleepers(1_000)
            manual.advance(by: .seconds(1))
            while ended.total + manual.sleepers < 1_000 { await Task.yield() }
            #expect(attempts.total == 1_000)
            #expect(manual.sleepers > 200 && manual.sleepers <= 210)
            while ended.total < 1_000 {
                if let wake = manual.nextWake { manual.advance(by: manual.now.duration(to: wake)) }
                await Task.yield()
            }
        }
        #expect(attempts.total > 1_200 && attempts.total <= 1_210)
    }

    @Test func classifiersDecideWhatAnErrorMeans() async throws {
        struct Opaque: Error {}
        let retry = try makeRetry()
        let classifier = Classifier.standard.preceded { $0 is Opaque ? .neutral(.invalidRequest) : nil }
        let attempts = Counter()
        await #expect(throws: PolicyError<any Error>.self) {
            try await retry.run(again, time: time, classifier: classifier) { _ in
                attempts.add()
                throw Opaque()
            }
        }
        #expect(attempts.total == 1)
    }
}
