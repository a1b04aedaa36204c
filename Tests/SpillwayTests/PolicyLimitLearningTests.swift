import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// A limit on calls in flight learns from what a policy measures.
@Suite struct PolicyLimitLearningTests {
    @Test func aModelLimitLearnsFromAnswersInOnePiece() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let rule = ConcurrencyLimit.Rule.model(firstContent: .seconds(5), tokensPerSecond: 10, samples: 10)
        let limit = try ConcurrencyLimit("limit", .init(.adaptive(rule), in: 4...100, initially: 4))
        let queue = try FairQueue("queue", .init(capacity: 1_000, longest: .seconds(600)))
        let policy = try makePolicy(time) { () throws(ConfigurationError) in
            queue
            Gates(limit)
        }
        try simulation.run {
            let calls = (0..<400).map { number in
                simulation.start("call \(number)") {
                    try await policy.run { attempt in
                        try await time.sleep(for: .seconds(1))
                        attempt.used(Usage(input: 100, output: 100))
                    }
                }
            }
            for call in calls { try await call.value }
        }
        #expect(limit.limit > 8, "\(limit.limit)")
    }
}
