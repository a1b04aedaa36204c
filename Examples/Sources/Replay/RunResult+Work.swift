extension RunResult {
    /// What a run made the replicas do, in tokens.
    struct Work: Codable, Sendable, Equatable {
        /// What each replica worked on, in order, whatever became of it: all that was read of prompts, and all that was
        /// generated, also for calls that were aborted.
        let replicas: [Tokens]
        /// What users got whole: of each good request the prompt once and the answer once.
        let answers: Tokens
        /// Calls that were still with the replicas when these counts were read; what they took after that is missing.
        let unfinished: Int

        /// More tokens than a run can take, and few enough that neither their sum nor their price overflows.
        static let most = 1_000_000_000_000

        /// What all replicas worked on.
        var total: Tokens { .sum(replicas) }

        /// Throws `InputError` naming the first count that cannot be.
        func check() throws {
            guard (1...1000).contains(replicas.count) else {
                throw InputError("work.replicas: \(replicas.count) are not 1 to 1000")
            }
            let counts = replicas.enumerated().map { ("replicas[\($0.offset)]", $0.element) } + [("answers", answers)]
            for (name, tokens) in counts {
                for (kind, count) in [("prompt", tokens.prompt), ("generated", tokens.generated)] {
                    guard (0...Self.most).contains(count) else {
                        throw InputError("work.\(name).\(kind): \(count) is not from 0 to \(Self.most)")
                    }
                }
            }
            guard unfinished >= 0 else { throw InputError("work.unfinished: \(unfinished) is less than 0") }
            guard Tokens(prompt: Self.most, generated: Self.most).covers(total) else {
                throw InputError("work.replicas: more than \(Self.most) tokens in all")
            }
        }
    }
}

extension RunResult.Work {
    /// Sets what the fleet counted beside what users got; nil when the fleet does not count tokens, or cannot have.
    init?(of records: [RequestRecord], stats: FleetStats) {
        guard let replicas = stats.work else { return nil }
        self.init(
            replicas: replicas, answers: .sum(records.filter { $0.outcome == .good }.map(\.tokens)),
            unfinished: stats.unfinished)
        guard (try? check()) != nil else { return nil }
    }
}
