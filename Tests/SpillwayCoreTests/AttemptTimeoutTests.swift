import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct AttemptTimeoutTests {
    @Test("limits that contradict each other, or limit nothing, are refused")
    func refused() throws {
        let long = Duration.seconds(10)
        for (field, value, make) in [
            ("whole", "nil", { try AttemptTimeout() }),
            ("whole", "nil", { try AttemptTimeout(patience: .seconds(3)) }),
            ("firstContent", "10.001 seconds", { try AttemptTimeout(long, firstContent: .milliseconds(10_001)) }),
            ("stall", "11.0 seconds", { try AttemptTimeout(long, firstContent: long, stall: .seconds(11)) }),
            ("whole", "0.0 seconds", { try AttemptTimeout(.zero, stall: long) }),
        ] as [(String, String, () throws -> AttemptTimeout)] {
            let error = #expect(throws: ConfigurationError.self) { try make() }
            #expect(error?.policy == "AttemptTimeout" && error?.field == field && error?.value == value)
        }
        #expect(try AttemptTimeout(long, firstContent: long, stall: long).stall == long)
        #expect(try AttemptTimeout(tokensPerSecond: 2).patience == .seconds(10))
    }

    /// Runs an attempt of a stream in a simulation of each of some seeds; what came of it and when.
    private func outcomes(
        _ timeout: AttemptTimeout, deadline: Duration? = nil, seeds: UInt64 = 50,
        _ stream: @escaping @Sendable (Attempt, any TimeSource) async throws(Trouble) -> Int
    ) throws -> Set<String> {
        var outcomes: Set<String> = []
        for seed in 0..<seeds {
            let simulation = Simulation(seed: seed), time = simulation.time, began = time.now
            let context = CallContext(deadline: deadline.map { began.advanced(by: $0) })
            let ended = try simulation.run {
                await CallContext.$current.withValue(context) {
                    await ending { () throws(PolicyError<Trouble>) in
                        try await timeout.run(Call(streams: true), time: time) { attempt throws(Trouble) in
                            try await stream(attempt, time)
                        }
                    }
                }
            }
            #expect(time.sleepers == 0, "seed \(seed)")
            let took = "\(Double(began.duration(to: time.now).clampedNanoseconds) / 1e9) seconds"
            switch ended {
            case .value(let tokens): outcomes.insert("\(tokens) at \(took)")
            case .timedOut(let limit, let last):
                outcomes.insert("\(limit) at \(took) \(last?.text ?? "")")
            default: outcomes.insert("\(ended)")
            }
        }
        return outcomes
    }

    private let timeout = Result {
        try AttemptTimeout(
            .seconds(60), firstContent: .seconds(8), stall: .seconds(5), tokensPerSecond: 2, patience: .seconds(10))
    }

    @Test("a good stream comes through, however long its caller makes it wait")
    func good() throws {
        let outcomes = try outcomes(timeout.get()) { attempt, time throws(Trouble) in
            for _ in 0..<10 {
                try await time.work(for: .seconds(1))
                attempt.received(tokens: 4)
                try await attempt.pausing { () throws(Trouble) in try await time.work(for: .seconds(600)) }
            }
            return 40
        }
        #expect(outcomes == ["40 at 6010.0 seconds"])
    }

    @Test("a stream that never begins is cut; what keeps the connection alive is no content")
    func keepAlive() throws {
        let outcomes = try outcomes(timeout.get()) { _, time throws(Trouble) in
            // A comment line a second: the operation reads it and has nothing to tell.
            while true { try await time.work(for: .seconds(1)) }
        }
        #expect(outcomes == ["first_content_timeout at 8.0 seconds cancelled"])
    }

    @Test("keep-alives do not put off a stall")
    func stall() throws {
        let outcomes = try outcomes(timeout.get()) { attempt, time throws(Trouble) in
            try await time.work(for: .seconds(2))
            attempt.received(tokens: 100)
            while true { try await time.work(for: .milliseconds(300)) }
        }
        #expect(outcomes == ["stalled at 7.0 seconds cancelled"])
    }

    @Test("a dribble is cut")
    func dribble() throws {
        let outcomes = try outcomes(timeout.get()) { attempt, time throws(Trouble) in
            while true {
                try await time.work(for: .seconds(4))
                attempt.received()
            }
        }
        // From the first content at 4 s: 10 s of patience, and half a second for each of two tokens more.
        #expect(outcomes == ["too_slow at 15.0 seconds cancelled"])
    }

    @Test(
        "the whole attempt, and a caller's deadline, whichever is first; a wait for the caller holds up only the former"
    )
    func whole() throws {
        let short = try AttemptTimeout(.seconds(3))
        let hang: @Sendable (Attempt, any TimeSource) async throws(Trouble) -> Int = { attempt, time throws(Trouble) in
            try await attempt.pausing { () throws(Trouble) in try await time.work(for: .seconds(1)) }
            try await time.hang()
            return 0
        }
        #expect(try outcomes(short, hang) == ["attempt_timeout at 4.0 seconds cancelled"])
        #expect(try outcomes(short, deadline: .seconds(2), hang) == ["deadline_exceeded at 2.0 seconds cancelled"])
        #expect(try outcomes(short, deadline: .zero, hang) == ["deadline_exceeded at 0.0 seconds "])
    }

    @Test("what an attempt throws or returns after it met a limit does not change that")
    func late() throws {
        let limit = try AttemptTimeout(.seconds(3))
        let stubborn = try outcomes(limit) { _, time throws(Trouble) in
            let task = ChildTask.start(on: TaskExecutorPreference.current) {
                try? await time.sleep(for: .seconds(10))
            }
            await task.value
            return 1
        }
        #expect(stubborn == ["attempt_timeout at 10.0 seconds "])
        let failing = try outcomes(limit) { _, time throws(Trouble) in
            do { try await time.hang() } catch {}
            throw Trouble(text: "its own")
        }
        #expect(failing == ["attempt_timeout at 3.0 seconds its own"])
    }

    @Test("an attempt that met a limit may not pass its answer on")
    func commit() throws {
        let committed = Shared<[Bool]>([])
        _ = try outcomes(try AttemptTimeout(.seconds(3)), seeds: 1) { attempt, time throws(Trouble) in
            let first = attempt.commit(resumable: true)
            do { try await time.hang() } catch {}
            let second = attempt.commit()
            committed.change { $0 = [first, second] }
            return 0
        }
        #expect(committed.value == [true, false])
    }

    @Test("content that comes just when the stream would stall is content or a stall, and never a hang, in every order")
    func race() throws {
        let outcomes = try outcomes(try AttemptTimeout(stall: .seconds(1)), seeds: 500) {
            attempt, time throws(Trouble) in
            for _ in 0..<3 {
                attempt.received()
                try await time.work(for: .seconds(1))
            }
            attempt.received()
            return 3
        }
        #expect(outcomes.isSuperset(of: ["3 at 3.0 seconds", "stalled at 1.0 seconds cancelled"]), "\(outcomes)")
        #expect(outcomes.allSatisfy { $0.hasPrefix("3 at 3") || $0.hasPrefix("stalled at") }, "\(outcomes)")
    }

    @Test("the clock goes back while an attempt runs: the limit is met all the same")
    func clockBack() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let timeout = try AttemptTimeout(.seconds(10))
        let ended = try simulation.run {
            simulation.start("jump") {
                try await time.sleep(for: .seconds(9))
                time.advance(by: .seconds(-5))
            }
            return await ending { () throws(PolicyError<Trouble>) -> Bool in
                try await timeout.run(time: time) { _ throws(Trouble) in
                    try await time.hang()
                    return true
                }
            }
        }
        #expect(ended == .timedOut(.attempt, last: Trouble(text: "cancelled")))
        #expect(time.sleepers == 0)
    }
}
