import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// Attempts that wait in line for gates and targets.
@Suite(.timeLimit(.minutes(10))) struct PolicyQueueTests {
    /// Starts `count` calls one after the other, and waits for all of them.
    private func run(
        _ count: Int, _ policy: Policy, _ simulation: Simulation, call: Call = Call(idempotency: .idempotent),
        takes: Duration = .seconds(1)
    ) async throws -> [(result: Result<Void, PolicyError<any Error>>, report: CallReport)] {
        let time = simulation.time
        let calls = (0..<count).map { number in
            simulation.start("call \(number)") {
                try await time.sleep(for: .milliseconds(number))
                return await policy.reported(call) { _ in try await time.sleep(for: takes) }
            }
        }
        var ended: [(Result<Void, PolicyError<any Error>>, CallReport)] = []
        for call in calls { ended.append(try await call.value) }
        return ended
    }

    @Test func attemptsWaitAndTheReportSaysHowLong() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1), observer = RecordingObserver()
        let queue = try FairQueue("queue")
        let policy = try makePolicy(simulation.time, observer: observer) { () throws(ConfigurationError) in
            queue
            Gates(slots)
        }
        try simulation.run {
            let calls = try await run(3, policy, simulation)
            #expect(calls.allSatisfy { (try? $0.result.get()) != nil })
            #expect(calls.map(\.report.queued) == [.zero, .milliseconds(999), .milliseconds(1_998)])
            #expect(calls.map { $0.report.rejections.count } == [0, 1, 0], "told once, and not of a line that stands")
            #expect(calls.map(\.report.waited) == [.zero, .zero, .zero])
            #expect(calls[1].report.attempts[0].started == calls[0].report.ended)
        }
        #expect(observer.reports.count == 3)
        #expect(slots.left == 1)
    }

    @Test func aRefusalOfTheQueueIsTheCallsAndCostsNoRetry() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1)
        let queue = try FairQueue("queue", .init(capacity: 1, longest: .milliseconds(500)))
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            queue
            Gates(slots)
        }
        try simulation.run {
            let calls = try await run(3, policy, simulation)
            #expect(calls.map(\.report.ending) == [.completed, .queuedTooLong, .queueFull])
            guard case .rejected(let rejection, nil)? = calls[2].result.failure else {
                Issue.record("not rejected")
                return
            }
            #expect(rejection.gate.description == "queue")
            #expect(calls[1].report.rejections.map(\.reason) == [.concurrencyLimited, .queuedTooLong])
        }
        #expect(slots.left == 1)
    }

    @Test func theDeadlineEndsAWait() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1), queue = try FairQueue("queue")
        let policy = try makePolicy(simulation.time) { () throws(ConfigurationError) in
            try Deadline(.milliseconds(1_500))
            queue
            Gates(slots)
        }
        try simulation.run {
            let calls = try await run(3, policy, simulation)
            #expect(calls.map(\.report.ending) == [.completed, .deadlineExceeded, .deadlineExceeded])
            // The second began at one second, and the third when that was cancelled, with a millisecond left.
            #expect(calls.map(\.report.queued) == [.zero, .milliseconds(999), .milliseconds(1_499)])
        }
        #expect(slots.left == 1)
    }

    @Test func itWaitsForTheTargetThatIsFreeFirst() throws {
        let simulation = Simulation(seed: 1), slots = [Slots(1, "a"), Slots(1, "b")], time = simulation.time
        let queue = try FairQueue("queue"), breaker = try CircuitBreaker("c")
        breaker.isolate(at: time.now)
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            queue
            Targets(.ladder, [Target("c", breaker)] + slots.map { Target($0.name, $0) })
        }
        try simulation.run { () async throws in
            let calls = (0..<3).map { number in
                simulation.start("call \(number)") {
                    try await time.sleep(for: .milliseconds(number))
                    return try await policy.run { attempt in
                        try await time.sleep(for: attempt.target == "a" ? .seconds(9) : .seconds(2))
                        return attempt.target
                    }
                }
            }
            #expect(try await calls[0].value == "a")
            #expect(try await calls[1].value == "b")
            #expect(try await calls[2].value == "b", "a breaker that is open does not hide a target that is full")
        }
    }

    @Test func nothingBesideAnAttemptPassesWhoWaits() throws {
        let simulation = Simulation(seed: 1), slots = Slots(2), time = simulation.time
        let queue = try FairQueue("queue"), budget = try RetryBudget("budget", .init(ratio: 1, burst: 10))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.milliseconds(1_500)), budget: budget)
            queue
            Gates(slots)
        }
        try simulation.run {
            let calls = try await run(4, policy, simulation, takes: .seconds(2))
            // Hedges of the first two came due while the others waited for their first attempt.
            #expect(calls.prefix(2).allSatisfy { $0.report.attempts.count == 1 })
            #expect(calls.suffix(2).allSatisfy { $0.report.queued > .zero })
        }
    }

    @Test func aRetryJoinsTheLineAgain() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1), time = simulation.time
        let queue = try FairQueue("queue"), budget = try RetryBudget("budget", .init(ratio: 1, burst: 10))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none, budget: budget)
            queue
            Gates(slots)
        }
        try simulation.run {
            let log = Log()
            let calls = (0..<2).map { number in
                simulation.start("call \(number)") {
                    try await time.sleep(for: .milliseconds(number))
                    try await policy.run(Call(idempotency: .idempotent)) { attempt in
                        log.add("\(number).\(attempt.number)")
                        try await time.sleep(for: .seconds(1))
                        if attempt.number == 1 { throw Trouble(.overloaded) }
                    }
                }
            }
            for call in calls { try await call.value }
            #expect(log.all == ["0.1", "1.1", "0.2", "1.2"])
        }
    }

    @Test func realUseCountsWhereTokensAreShared() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1), time = simulation.time
        let queue = try FairQueue(
            "queue", .init(longest: .seconds(60)) { $0.resources = [.calls(100), .tokens(1_000)] })
        let bucket = try TokenBucket("tokens", .init(rate: .perSecond(1e6), burst: 1_000_000, unit: .tokens))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            queue
            Gates(slots, bucket)
        }
        let log = Log()
        try simulation.run {
            // Both estimate the same; one uses ten times as much.
            let calls = (0..<24).map { number in
                let key = number % 2 == 0 ? "small" : "large"
                return simulation.start("call \(number)") {
                    try await time.sleep(for: .milliseconds(number))
                    let call = Call(tokens: .estimate(input: 10, maxOutput: 90), key: key)
                    try await policy.run(call) { attempt in
                        log.add(key)
                        try await time.sleep(for: .seconds(1))
                        attempt.used(Usage(input: 10, output: key == "small" ? 90 : 990))
                    }
                }
            }
            for call in calls { try await call.value }
        }
        #expect(log.all.prefix(12).filter { $0 == "large" }.count <= 3)
    }

    @Test func gatesBeforeTheQueueRefuseAtOnceAndAreGivenBack() throws {
        let simulation = Simulation(seed: 1), slots = Slots(1), outer = CountingGate(), time = simulation.time
        let queue = try FairQueue("queue", .init(capacity: 1, longest: .milliseconds(1_500)))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            Gates(outer)
            queue
            Gates(slots)
        }
        try simulation.run {
            let calls = try await run(3, policy, simulation)
            #expect(calls.map(\.report.ending) == [.completed, .completed, .queueFull])
            #expect(outer.counts == CountingGate.Counts(admitted: 3, settled: 2, voided: 1))
            outer.refuses = true
            let refused = try await run(1, policy, simulation)[0].report
            #expect(refused.ending == .other && refused.queued == .zero)
        }
        #expect(outer.isWhole && slots.left == 1)
    }

    @Test func anOrderThatCannotWorkIsRefused() throws {
        let queue = try FairQueue("queue"), slots = Slots(1), budget = try RetryBudget("budget")
        let time = ManualTime()
        func refused(
            _ expected: String, @PolicyBuilder _ parts: () throws(ConfigurationError) -> [PolicyBuilder.Part]
        ) {
            let error = #expect(throws: ConfigurationError.self) { _ = try Policy("p", time: time, parts) }
            #expect(error?.value.contains(expected) == true, "\(error.map { "\($0)" } ?? "nothing")")
        }
        refused("inside Targets") { () throws(ConfigurationError) in
            Targets(.ladder, [Target("a", slots)])
            queue
        }
        refused("without Gates") { () throws(ConfigurationError) in
            Gates(slots)
            queue
        }
        refused("two FairQueues") { () throws(ConfigurationError) in
            queue
            queue
            Gates(slots)
        }
        refused("without Gates") { () throws(ConfigurationError) in queue }
        refused("Retry inside") { () throws(ConfigurationError) in
            queue
            try Retry(upTo: 1, budget: budget)
            Gates(slots)
        }
        refused("Deadline inside") { () throws(ConfigurationError) in
            queue
            try Deadline(.seconds(1))
            Gates(slots)
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
