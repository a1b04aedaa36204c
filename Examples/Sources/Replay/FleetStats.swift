/// What `GET /control/stats` says, as far as Replay needs it.
struct FleetStats: Codable, Sendable, Equatable {
    /// The counts of one phase.
    struct Counts: Codable, Sendable, Equatable {
        /// Generation calls that reached the replicas in this phase.
        let calls: Int
        /// Those of them whose whole answer was written.
        let completed: Int
    }

    /// The counts of one replica; a fleet need not know them.
    struct Replica: Codable, Sendable, Equatable {
        /// Tokens of prompts that were read, also of calls that were aborted.
        var promptTokens: Int?
        /// Tokens that were generated, sent or not.
        var generatedTokens: Int?
        /// Calls in the engine's batch.
        var running: Int?
        /// Calls in the engine's queue.
        var waiting: Int?

        enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case generatedTokens = "generated_tokens"
            case running, waiting
        }
    }

    /// The counts by the label that was in force when the call came.
    let phases: [String: Counts]
    /// The counts of each replica, in order.
    var replicas: [Replica]?

    /// The calls of every phase together.
    var totalCalls: Int { phases.values.reduce(0) { $0 + $1.calls } }

    /// What each replica worked on; nil unless every one of them says it.
    var work: [Tokens]? {
        let known = replicas?.compactMap { replica in
            replica.promptTokens.flatMap { prompt in
                replica.generatedTokens.map { Tokens(prompt: prompt, generated: $0) }
            }
        }
        return known?.count == replicas?.count ? known : nil
    }

    /// Calls that the replicas have and have not ended.
    var unfinished: Int {
        // Held within what sums up, whatever the fleet says.
        (replicas ?? []).flatMap { [$0.running ?? 0, $0.waiting ?? 0] }.reduce(0) { $0 + min(max($1, 0), 1_000_000) }
    }
}
