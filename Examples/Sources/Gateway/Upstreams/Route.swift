import Spillway
import SpillwayHTTPClient

/// A model as clients call it, and how its calls are made.
struct Route: Sendable {
    /// A model of an upstream.
    struct Place: Sendable {
        let upstream: Upstream
        /// `*`: the name that the client asked for.
        let model: String

        /// The name that the upstream is asked for, for a client that asked for `name`.
        func asked(for name: String) -> String { model == "*" ? name : model }
    }

    let name: String
    let policy: Policy
    /// From where on a stream is passed on to the client.
    let commit: CommitPoint
    /// What becomes of a stream that breaks off after that.
    let recovery: StreamRecovery
    /// By the name of the policy's target.
    let places: [String: Place]

    /// A route over `upstreams`.
    init(_ model: Configuration.Model, upstreams: [String: Upstream], budget: RetryBudget) throws {
        let calls = model.calls
        name = model.name
        commit = calls.commit
        recovery = calls.recovery
        places = Dictionary(
            uniqueKeysWithValues: model.targets.map { target in
                (target.name, Place(upstream: upstreams[target.upstream]!, model: target.model))
            })
        let targets = model.targets.map { Target($0.name, gates: upstreams[$0.upstream]!.gates) }
        // What another provider or key may well do better.
        let elsewhere: Outcome.Causes = targets.count > 1 ? [.quotaExhausted, .authentication] : []
        // One that does not go on with an answer need not be the last.
        let further: Outcome.Causes = if case .continue = calls.recovery { [.truncated] } else { [] }
        let retry = try Retry(
            upTo: calls.retries, backoff: calls.backoff, on: .transient.union(elsewhere).union(further),
            budget: budget)
        let hedge = try calls.hedge.map { try Hedge(after: $0.delay, upTo: $0.upTo, budget: budget) }
        policy = try Policy(model.name) { () throws(ConfigurationError) in
            try Deadline(calls.deadline)
            retry
            if let hedge { hedge }
            try calls.limits.timeout()
            Targets(model.order, targets)
        }
    }
}
