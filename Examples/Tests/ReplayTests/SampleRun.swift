import Foundation

@testable import Replay

/// Builds small results by hand.
enum SampleRun {
    /// Faults from 2 s to 4 s.
    static let script = FaultScript(
        phases: .init(during: [2, 4]),
        steps: [
            .init(
                at: 2,
                faults: [.init(replica: .replica(1), fault: .reset, probability: nil, durationMs: nil, retryAfter: nil)]
            ),
            .init(at: 4, faults: []),
        ])

    /// Twelve requests, two a second; in the fault window two fail and one is truncated unless `allGood`.
    ///
    /// Each has a prompt of 1,000 tokens and asks for 100.
    static func make(
        label: String, allGood: Bool, callsDuring: Int, speed: Double = 10,
        replicas: [FleetStats.Replica]? = [worked(6000, 900), worked(8000, 700)]
    ) -> RunResult {
        let tokens = Tokens(prompt: 1000, generated: 100)
        let records = (0..<12).map { index in
            let outcomes: [Int: Outcome] = [4: .failed("http-503"), 5: .truncated, 6: .failed("timeout")]
            let outcome = allGood ? Outcome.good : outcomes[index] ?? .good
            return RequestRecord(
                arrival: Double(index) / 2, tokens: tokens, outcome: outcome, firstToken: Double(index + 1) / 4,
                total: 4, lag: 0.01)
        }
        let stats = FleetStats(
            phases: [
                "before": .init(calls: 4, completed: 4), "during": .init(calls: callsDuring, completed: 4),
                "after": .init(calls: 3, completed: 3),
            ],
            replicas: replicas)
        return RunResult(
            settings: .init(
                label: label, trace: "slice.csv", speed: speed, seed: 1, sloTTFTMs: 2000, clientTimeout: 60),
            script: script, records: records,
            readings: [.init(at: 0, calls: 0), .init(at: 3, calls: 9), .init(at: 8, calls: 7 + callsDuring)],
            stats: stats)
    }

    /// What a replica says that is idle again.
    static func worked(_ prompt: Int?, _ generated: Int?) -> FleetStats.Replica {
        .init(promptTokens: prompt, generatedTokens: generated, running: 0, waiting: 0)
    }

    static let naive = make(label: "naive", allGood: false, callsDuring: 9)
    static let spillway = make(
        label: "spillway", allGood: true, callsDuring: 5, replicas: [worked(6000, 500), worked(7000, 750)])
}
