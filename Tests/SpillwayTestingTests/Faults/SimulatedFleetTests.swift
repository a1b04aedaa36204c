import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct SimulatedFleetTests {
    private let minute = Duration.seconds(60)

    @Test func aHealthyReplicaAnswers() throws {
        try withFleet { fleet, simulation in
            let began = simulation.time.now
            let answer = try await fleet.answer(shortRequest, at: 0)
            #expect(answer.tokens == 20)
            #expect(began < answer.firstToken && answer.firstToken < answer.end)
            #expect(answer.end == simulation.time.now)
            #expect(fleet.counts[0].asked == 1 && fleet.counts[0].answered == 1 && fleet.counts[0].wasted == 0)
            #expect(fleet.counts[1].asked == 0)
        }
    }

    @Test func aReplicaThatIsNotThereIsLikeOneThatIsDown() throws {
        try withFleet { fleet, _ in
            #expect(await fleet.failure(at: 4) == .connectionRefused)
            #expect(await fleet.failure(at: -1) == .connectionRefused)
        }
    }

    @Test func aCrashLosesWhatIsUnderWayAndRefusesWhatComes() throws {
        let script: FaultScript = try [.crash(.replica(0), at: .milliseconds(200), for: .seconds(1))]
        try withFleet(script) { fleet, simulation in
            let began = simulation.time.now
            #expect(await fleet.failure() == .connectionLost)
            #expect(began.duration(to: simulation.time.now) == .milliseconds(200))
            #expect(await fleet.failure() == .connectionRefused)
            #expect(await fleet.failure(at: 2) == nil)
            try await simulation.time.sleep(for: .seconds(1))
            #expect(await fleet.failure() == nil)
            #expect(fleet.counts[0].wasted == 2)
        }
    }

    @Test func aRestartAtOnceLosesWhatIsUnderWay() throws {
        try withFleet([.crash(.replica(0), at: .milliseconds(200), for: .zero)]) { fleet, _ in
            #expect(await fleet.failure() == .connectionLost)
            #expect(await fleet.failure() == nil)
        }
    }

    @Test func aZoneIsLostWhole() throws {
        try withFleet([.zoneLoss(1, at: .zero, for: minute)]) { fleet, simulation in
            try await simulation.time.sleep(for: .seconds(1))
            #expect(await fleet.failure(at: 0) == nil)
            #expect(await fleet.failure(at: 1) == .connectionRefused)
            #expect(await fleet.failure(at: 3) == .connectionRefused)
        }
    }

    @Test func aReplicaThatHangsAnswersNever() throws {
        let script: FaultScript = try [.hang(.replica(0), at: .milliseconds(200), for: .seconds(1))]
        try withFleet(script) { fleet, simulation in
            let began = simulation.time.now
            #expect(await fleet.failure(within: .seconds(50)) == .timeout)
            #expect(began.duration(to: simulation.time.now) == .seconds(50))
            #expect(await fleet.failure() == nil)
        }
        #expect(throws: SimulationError.stuck(tasks: ["main"])) {
            try withFleet(script) { fleet, _ in await fleet.failure() }
        }
    }

    @Test func whatComesDuringAHangHangsUntilItIsCancelled() throws {
        try withFleet([.hang(.zone(0), at: .zero, for: .seconds(1))]) { fleet, simulation in
            let call = simulation.start("call") {
                try await simulation.time.sleep(for: .milliseconds(500))
                return await fleet.failure()
            }
            try await simulation.time.sleep(for: minute)
            #expect(fleet.counts[0].underWay == 1)
            call.cancel()
            #expect(try await call.value == .cancelled)
            #expect(fleet.counts[0].underWay == 0)
            #expect(fleet.loads[0].running == 0 && fleet.loads[0].waiting == 0)
        }
    }

    @Test func latencyAndSlownessAddUp() throws {
        func taken(_ script: FaultScript) throws -> Duration {
            try withFleet(script) { fleet, simulation in
                try await simulation.time.sleep(for: .seconds(1))
                let began = simulation.time.now
                return began.duration(to: try await fleet.answer(shortRequest, at: 0).end)
            }
        }
        let healthy = try taken([])
        let late = try Fault.latency(.replica(0), adding: .seconds(2), at: .zero, for: minute)
        let slow = try Fault.slowdown(.replica(0), by: 3, at: .zero, for: minute)
        let slower = try Fault.slowdown(.zone(0), by: 2, at: .zero, for: minute)
        #expect(try taken([late]) == healthy + .seconds(2))
        #expect(abs(try taken([slow]) / healthy - 3) < 0.001)
        #expect(abs((try taken([slow, late, slower]) - .seconds(2)) / healthy - 6) < 0.001)
    }

    @Test func errorsComeAtTheirRate() throws {
        let failures = try withFleet([.errors(.replica(0), rate: 0.3, at: .zero, for: .seconds(1_000))]) {
            fleet, simulation in
            try await simulation.time.sleep(for: .seconds(1))
            var failures = 0
            for _ in 0..<1_000 where await fleet.failure() == .serverError { failures += 1 }
            return failures
        }
        // Five standard deviations around 300.
        #expect((228...372).contains(failures))
    }

    @Test func aLimitIsRefusedWithItsHint() throws {
        let script: FaultScript = try [
            .rateLimit(.replica(0), retryAfter: nil, at: .zero, for: minute),
            .rateLimit(.zone(1), retryAfter: .seconds(7), at: .zero, for: minute),
        ]
        try withFleet(script) { fleet, simulation in
            try await simulation.time.sleep(for: .seconds(1))
            #expect(await fleet.failure(at: 0) == .rateLimited(retryAfter: nil))
            #expect(await fleet.failure(at: 1) == .rateLimited(retryAfter: .seconds(7)))
            #expect(await fleet.failure(at: 2) == nil)
            let outcome = await fleet.failure(at: 1)?.outcome
            #expect(outcome == .neutral(.rateLimited, retryAfter: .seconds(7)))
        }
    }

    @Test func memoryThatRunsOutRefusesWhatDoesNotFit() throws {
        try withFleet([.memory(.replica(0), leaving: 0.01, at: .zero, for: minute)]) { fleet, simulation in
            try await simulation.time.sleep(for: .seconds(1))
            #expect(await fleet.failure() == .outOfMemory)
            #expect(await fleet.failure(.init(promptTokens: 10, outputTokens: 5)) == nil)
            try await simulation.time.sleep(for: minute)
            #expect(await fleet.failure() == nil)
        }
    }

    @Test func theClockJumps() throws {
        let script: FaultScript = try [
            .clockJump(by: .seconds(5), at: .seconds(1)), .clockJump(by: .seconds(-4), at: .seconds(10)),
        ]
        try withFleet(script) { _, simulation in
            let time = simulation.time
            try await simulation.time.sleep(for: .milliseconds(1_001))
            #expect(time.now == at(7))
            try await time.sleep(until: at(11))
            try await time.sleep(until: at(11.5))
            #expect(time.now == at(11.5))
        }
    }

    @Test func aQueueThatIsFullIsOverload() throws {
        try withFleet { fleet, simulation in
            let calls = (0..<20).map { number in simulation.start("call \(number)") { await fleet.failure() } }
            var failures: [SimulatedFailure?] = []
            for call in calls { failures.append(try await call.value) }
            #expect(failures.count { $0 == .overloaded } >= 4)
            #expect(failures.count { $0 == nil } + failures.count { $0 == .overloaded } == 20)
        }
    }

    @Test func aRequestThatCannotFitSaysSo() throws {
        try withFleet { fleet, _ in
            #expect(await fleet.failure(.init(promptTokens: 20_000, outputTokens: 1)) == .contextTooLong)
            #expect(await fleet.failure(.init(promptTokens: 0, outputTokens: 1)) == .invalidRequest)
        }
    }

    @Test func nothingIsLeftOfACallThatIsCancelledAtAnyAwait() throws {
        let script: FaultScript = try [.latency(.replica(0), adding: .seconds(1), at: .zero, for: minute)]
        for timeout in [nil, .seconds(9)] as [Duration?] {
            for number in 0..<12 {
                try withFleet(script) { fleet, simulation in
                    let call = simulation.start("call", cancelledAtAwait: number) {
                        try await simulation.time.sleep(for: .milliseconds(1))
                        return await fleet.result(at: 0, within: timeout)
                    }
                    let result = try? await call.value
                    #expect(fleet.counts[0].underWay == 0)
                    #expect(fleet.loads[0].running == 0 && fleet.loads[0].waiting == 0)
                    if case .failure(let failure)? = result { #expect(failure == .cancelled) }
                }
            }
        }
    }

    @Test func aScriptMustFitTheFleet() throws {
        let simulation = Simulation(seed: 1)
        func refusal(replicas: Int, zones: Int, _ script: FaultScript = []) -> String? {
            do {
                _ = try SimulatedFleet(
                    simulation, replicas: replicas, zones: zones, engine: smallEngine(), script: script)
                return nil
            } catch {
                return (error as? ConfigurationError)?.field
            }
        }
        #expect(refusal(replicas: 0, zones: 1) == "replicas")
        #expect(refusal(replicas: 2, zones: 3) == "zones")
        #expect(refusal(replicas: 2, zones: 1, try [.crash(.replica(2), at: .zero, for: minute)]) == "script.replica")
        #expect(refusal(replicas: 2, zones: 1, try [.zoneLoss(1, at: .zero, for: minute)]) == "script.zone")
    }
}
