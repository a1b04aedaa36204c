import Dispatch
import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// A policy that hedges, in virtual time.
@Suite(.timeLimit(.minutes(10))) struct PolicyHedgeTests {
    private let again = Call(idempotency: .idempotent)

    private func policy(
        _ time: ManualTime, _ budget: RetryBudget, retries: Int? = nil, gates: [any Gate] = [],
        targets: [Target] = [], observer: (any Observer)? = nil
    ) throws -> Policy {
        try makePolicy(time, observer: observer) { () throws(ConfigurationError) in
            if let retries { try Retry(upTo: retries, backoff: .none, budget: budget) }
            try Hedge(after: .fixed(.seconds(1)), budget: budget)
            Gates(gates)
            if !targets.isEmpty { Targets(.ladder, targets) }
        }
    }

    @Test func theHedgeGoesElsewhereAndEveryPermitIsSettled() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            let gate = CountingGate(), gates = ["a", "b"].map { CountingGate($0) }
            let simulation = Simulation(seed: seed)
            let budget = try RetryBudget("budget", .init(ratio: 0, burst: 1, minimumPerSecond: 0))
            let policy = try policy(
                simulation.time, budget, gates: [gate], targets: gates.map { Target($0.name, $0) })
            let (result, report) = try simulation.run {
                await policy.reported(again) { attempt in
                    try await simulation.time.sleep(for: .seconds(attempt.target == "a" ? 20 : 2))
                    return attempt.target
                }
            }
            #expect(try result.get() == "b")
            #expect(report.started.duration(to: report.ended) == .seconds(3))
            #expect(report.attempts.map(\.hedge) == [0, 1])
            #expect(report.attempts.map(\.number) == [1, 1])
            #expect(report.attempts.map(\.outcome) == [.neutral(.cancelled), .success])
            for gate in [gate] + gates {
                #expect(gate.isWhole && gate.counts.voided == 0, "seed \(seed)")
            }
            #expect(gate.counts.admitted == 2)
            #expect(!budget.withdraw(at: .zero), "the hedge was paid for")
        }
    }

    @Test func aHedgeThatAGateRefusesIsNotMadeAndCostsNothing() throws {
        let simulation = Simulation(seed: 1), gates = ["a", "b"].map { CountingGate($0) }
        gates[1].refuses = true
        let shared = CountingGate()
        let budget = try RetryBudget("budget", .init(ratio: 0, burst: 1, minimumPerSecond: 0))
        let policy = try policy(
            simulation.time, budget, gates: [shared], targets: gates.map { Target($0.name, $0) })
        let (result, report) = try simulation.run {
            await policy.reported(again) { attempt in
                try await simulation.time.sleep(for: .seconds(20))
                return attempt.target
            }
        }
        #expect(try result.get() == "a")
        #expect(report.attempts.count == 1)
        #expect(report.rejections.map(\.gate.description) == ["b"])
        #expect(shared.counts == .init(admitted: 2, settled: 1, voided: 1))
        #expect(budget.withdraw(at: .zero), "the hedge was given back")
    }

    @Test func aLoneTargetIsNotHedged() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(simulation.time, .unlimited, targets: [Target("a")])
        let (_, report) = try simulation.run {
            await policy.reported(again) { _ in try await simulation.time.sleep(for: .seconds(20)) }
        }
        #expect(report.attempts.count == 1)
    }

    @Test func aTargetThatStandsForSeveralIsHedgedAtAnotherOfThem() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(simulation.time, .unlimited, targets: [Target("fleet", gates: [], isFleet: true)])
        let (result, report) = try simulation.run {
            await policy.reported(again) { attempt in
                attempt.goes(to: "gpu-\(attempt.hedge)")
                try await simulation.time.sleep(for: .seconds(attempt.hedge == 0 ? 20 : 2))
                return attempt.hedge
            }
        }
        #expect(try result.get() == 1)
        #expect(report.attempts.map(\.target) == ["fleet", "fleet"])
        #expect(report.attempts.map(\.replica) == ["gpu-0", "gpu-1"])
    }

    @Test func aFailureThatNoHedgeMendsIsRetriedOnAThirdTarget() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(
            simulation.time, .unlimited, retries: 1, targets: ["a", "b", "c"].map { Target($0) })
        let (result, report) = try simulation.run {
            await policy.reported(again) { attempt throws(Trouble) in
                if attempt.target == "c" { return attempt.number }
                try? await simulation.time.sleep(for: .seconds(2))
                throw Trouble(.serverError)
            }
        }
        // A hedge does not use up the retry.
        #expect(try result.get() == 2)
        #expect(report.attempts.map(\.target) == ["a", "b", "c"])
    }

    @Test func anAnswerThatTheJudgeRefusesDoesNotWin() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(simulation.time, .unlimited)
        let answer = try simulation.run {
            try await policy.run(again, judge: { $0 == 1 ? .neutral(.unacceptable) : .success }) { attempt in
                try await simulation.time.sleep(for: .seconds(attempt.hedge == 0 ? 9 : 1))
                return attempt.hedge
            }
        }
        #expect(answer == 0)
    }

    @Test func whoCommitsFirstWinsAlthoughTheOtherEndsFirst() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(simulation.time, .unlimited)
        let (result, report) = try simulation.run {
            await policy.reported(Call(idempotency: .idempotent, streams: true)) { attempt in
                // The first is silent for 3 s and streams for 30; the hedge would have its content at 4 s.
                try await simulation.time.sleep(for: .seconds(3))
                attempt.received()
                guard attempt.commit() else { throw CancellationError() }
                try await simulation.time.sleep(for: .seconds(30))
                return attempt.hedge
            }
        }
        #expect(try result.get() == 0)
        #expect(report.attempts.map(\.outcome) == [.success, .neutral(.cancelled)])
        #expect(report.attempts[0].firstContent.map { report.started.duration(to: $0) } == .seconds(3))
        #expect(report.started.duration(to: report.ended) == .seconds(33))
    }

    @Test(arguments: [false, true])
    func whatWasPassedOnIsNotRepeatedUnlessItCanBeResumed(resumable: Bool) throws {
        let simulation = Simulation(seed: 1)
        for hedged in [false, true] {
            let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
                try Retry(upTo: 3, backoff: .none, budget: .unlimited)
                if hedged { try Hedge(after: .fixed(.seconds(1)), budget: RetryBudget.unlimited) }
            }
            let (result, report) = try simulation.run {
                await policy.reported(Call(idempotency: .idempotent, streams: true)) { attempt throws(Trouble) in
                    if attempt.number == 2 { return }
                    _ = attempt.commit(resumable: resumable)
                    throw Trouble(.transport)
                }
            }
            #expect(report.attempts.count == (resumable ? 2 : 1))
            if case .success = result { #expect(resumable) } else { #expect(!resumable) }
        }
    }

    @Test func losersThatIgnoreCancellationAreWaitedFor() throws {
        let simulation = Simulation(seed: 1)
        let policy = try policy(simulation.time, .unlimited)
        let elapsed = try simulation.run {
            let began = simulation.time.now
            _ = try await policy.run(again) { attempt in
                guard attempt.hedge == 0 else { return 1 }
                // Its own task, which nobody cancels.
                _ = await simulation.start("stubborn") { try await simulation.time.sleep(for: .seconds(10)) }.result
                return 0
            }
            return began.duration(to: simulation.time.now)
        }
        #expect(elapsed == .seconds(10))
    }

    /// On threads, because in virtual time a loser is always gone by then: Swift itself checks, and stops the process.
    @Test func losersHaveLetGoOfTheOperationWhenTheCallReturns() async throws {
        let policy = try Policy("hedged") { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.milliseconds(1)), budget: RetryBudget.unlimited)
        }
        let lent = [1]
        // Ten times, because it takes some luck.
        for _ in 0..<10 {
            let won = await withTaskExecutorPreference(HoldingExecutor()) {
                try? await policy.run(again) { attempt in
                    if attempt.hedge == 0 {
                        try? await SystemTime().sleep(until: .distantFuture)
                        // Not cancelled: by its end the call waits for this attempt alone.
                        _ = await Task { try await SystemTime().sleep(for: .milliseconds(50)) }.result
                    }
                    return attempt.hedge * lent[0]
                }
            }
            #expect(won == 1)
        }
    }

    /// Runs a job on another thread, and holds up the thread that had it to give until it suspends, or for a moment: a task
    /// that is cancelled may wait for a lock that its canceller holds.
    private final class HoldingExecutor: TaskExecutor {
        private let queue = DispatchQueue(label: "holding", attributes: .concurrent)

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job), suspended = DispatchSemaphore(value: 0)
            queue.async {
                job.runSynchronously(on: self.asUnownedTaskExecutor())
                suspended.signal()
            }
            _ = suspended.wait(timeout: .now() + .milliseconds(20))
        }
    }
}
