import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct PolicyCancellationTests {
    private let time = ManualTime()
    private let again = Call(idempotency: .idempotent)
    private let budget: RetryBudget
    private let gate = CountingGate("shared")
    private let target = CountingGate("target")
    private let observer = RecordingObserver()

    init() throws {
        budget = try RetryBudget("budget", .init(ratio: 0, burst: 5, minimumPerSecond: 0))
    }

    private func makePolicy(_ backoff: Backoff) throws -> Policy {
        try SpillwayTests.makePolicy(time, observer: observer) { () throws(ConfigurationError) in
            try Retry(upTo: 4, backoff: backoff, budget: budget)
            Gates(gate)
            Targets(.ladder, [Target("a", target)])
        }
    }

    /// What must hold however a call was cancelled: every permit settled, the budget whole, one report.
    private func expectWhole(attempts: Int) {
        #expect(gate.counts == .init(admitted: attempts, settled: attempts, voided: 0))
        #expect(target.counts == gate.counts)
        #expect(budget.balance(at: time.now) == Double(6 - attempts))
        #expect(observer.reports.map(\.ending) == [.cancelled])
        #expect(observer.reports.first?.attempts.count == attempts)
    }

    @Test func beforeTheCall() async throws {
        let policy = try makePolicy(.constant(.seconds(9)))
        let call = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await policy.perform(again) { _ in try Task.checkCancellation() }
        }
        await #expect(throws: CancellationError.self) { try await call.value }
        expectWhole(attempts: 1)
    }

    @Test func duringTheOperationWhateverItMakesOfIt() async throws {
        let policy = try makePolicy(.constant(.seconds(9)))
        let call = Task {
            try await policy.perform(again) { _ in
                do { try await time.sleep(until: .distantFuture) } catch { throw Trouble(.overloaded) }
            }
        }
        await time.waitForSleepers()
        call.cancel()
        await #expect(throws: Trouble(.overloaded)) { try await call.value }
        expectWhole(attempts: 1)
        #expect(observer.reports.first?.attempts.first?.outcome == .neutral(.cancelled))
    }

    @Test func duringASecondOperation() async throws {
        let policy = try makePolicy(.none)
        let call = Task {
            try await policy.perform(again) { attempt in
                if attempt.number == 1 { throw Trouble(.serverError) }
                try await time.sleep(until: .distantFuture)
            }
        }
        await time.waitForSleepers()
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        expectWhole(attempts: 2)  // and one retry was made, so it stays paid for
    }

    @Test func duringTheWait() async throws {
        let policy = try makePolicy(.constant(.seconds(9)))
        let call = Task { () -> PolicyError<Trouble>? in
            do throws(PolicyError<Trouble>) {
                try await policy.run(again) { _ throws(Trouble) -> Void in throw Trouble(.serverError, number: 7) }
                return nil
            } catch {
                return error
            }
        }
        await time.waitForSleepers()
        time.advance(by: .seconds(4))
        call.cancel()
        guard case .cancelled(let last?) = await call.value else {
            Issue.record("not cancelled")
            return
        }
        #expect(last.number == 7)
        expectWhole(attempts: 1)
        let report = try #require(observer.reports.first)
        #expect(report.waited == .seconds(4))
        #expect(report.started.duration(to: report.ended) == .seconds(4))
    }

    @Test func betweenAttemptsThatDoNotWait() async throws {
        let policy = try makePolicy(.none)
        let judge: @Sendable (Int) -> Outcome = { _ in
            withUnsafeCurrentTask { $0?.cancel() }
            return .failure(.malformed)
        }
        let call = Task { try await policy.run(again, judge: judge) { $0.number } }
        await #expect(throws: PolicyError<Never>.self) { try await call.value }
        expectWhole(attempts: 1)
    }

    /// At any of the awaits of a call that fails for a while, chosen by a seed.
    @Test func atRandomMoments() async throws {
        for seed in UInt64(1)...200 {
            let random = RandomSource.seeded(seed)
            let time = ManualTime(), gate = CountingGate()
            let budget = try RetryBudget("budget", .init(ratio: 0, burst: 20, minimumPerSecond: 0))
            let policy = try SpillwayTests.makePolicy(time) { () throws(ConfigurationError) in
                try Retry(upTo: 10, backoff: .constant(.milliseconds(10)), budget: budget)
                Gates(gate)
            }
            let attempts = Counter()
            let call = Task {
                try await policy.perform(again) { _ in
                    attempts.add()
                    try await time.sleep(until: time.now.advanced(by: .milliseconds(10)))
                    throw Trouble(.timeout)
                }
            }
            for _ in 0..<random.next(through: 12) {
                await time.waitForSleepers()
                time.advance(by: .milliseconds(10))
            }
            call.cancel()
            await #expect(throws: (any Error).self, "seed \(seed)") { try await call.value }
            #expect(gate.isWhole, "seed \(seed)")
            #expect(gate.counts.admitted == attempts.total, "seed \(seed)")
            #expect(budget.balance(at: time.now) == Double(20 - max(0, attempts.total - 1)), "seed \(seed)")
        }
    }
}
