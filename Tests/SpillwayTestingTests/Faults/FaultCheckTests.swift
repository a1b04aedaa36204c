import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.disabled(if: isReplaying)) struct FaultCheckTests {
    private struct Lost: Error, CustomStringConvertible { let description = "an answer was lost" }

    @Test func aFailureComesWithItsSeedAndTheSmallestScript() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(
                seeds: 3..<40,
                faults: { random in
                    try .random(
                        using: random, replicas: 4, zones: 2, span: .seconds(20), count: 12,
                        forms: [.slowdown, .latency, .crash])
                },
                { simulation, script in
                    let fleet = try SimulatedFleet(
                        simulation, replicas: 4, zones: 2, engine: smallEngine(), script: script)
                    for _ in 0..<20 {
                        if await fleet.failure(at: 1) != nil { throw Lost() }
                        try await simulation.time.sleep(for: .seconds(1))
                    }
                })
        }
        let text = try #require(failure?.script)
        #expect(text.hasPrefix("try [\n    .crash(.replica(1), at: "))
        #expect(text.split(separator: "\n").count == 3)
        #expect(failure?.replays == true)
        #expect(failure?.error is Lost)
        #expect("\(try #require(failure))".contains(text))
        #expect(failure?.trace.contains { $0.contains("begins: .crash(.replica(1)") } == true)
    }

    /// A smaller script that breaks another promise is another failure.
    @Test func shrinkingKeepsToTheFailureThatItBeganWith() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(
                seeds: 0..<1,
                faults: { try .random(using: $0, replicas: 2, span: .seconds(20), count: 8, forms: [.crash]) },
                { _, script in throw Violation(script.faults.count > 1 ? .permits : .deadline, "found") })
        }
        #expect((failure?.error as? Violation)?.invariant == .permits)
        #expect(failure?.script?.split(separator: "\n").count == 4)
    }

    @Test func aScriptThatCannotBeMadeIsAFailure() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(
                seeds: 0..<1, faults: { try .random(using: $0, replicas: 0, span: .seconds(1), count: 1) },
                { _, _ in })
        }
        #expect(failure?.error is ConfigurationError)
        #expect(failure?.script == nil)
    }
}
