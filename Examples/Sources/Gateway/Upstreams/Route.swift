import Spillway

/// A model as clients call it, and how its calls are made.
struct Route: Sendable {
    /// A model of an upstream.
    struct Place: Sendable {
        let upstream: Upstream
        /// `*`: the name that the client asked for.
        let model: String
    }

    let name: String
    let policy: Policy
    let limits: AttemptLimits
    /// By the name of the policy's target.
    let places: [String: Place]

    /// A route over `upstreams`.
    init(_ model: Configuration.Model, upstreams: [String: Upstream], budget: RetryBudget) throws {
        let calls = model.calls
        name = model.name
        limits = calls.limits
        places = Dictionary(
            uniqueKeysWithValues: model.targets.map { target in
                (target.name, Place(upstream: upstreams[target.upstream]!, model: target.model))
            })
        let targets = model.targets.map { Target($0.name, gates: upstreams[$0.upstream]!.gates) }
        // What another provider or key may well do better.
        let elsewhere: Outcome.Causes = targets.count > 1 ? [.quotaExhausted, .authentication] : []
        let retry = try Retry(
            upTo: calls.retries, backoff: calls.backoff, on: .transient.union(elsewhere), budget: budget)
        policy = try Policy(model.name) { () throws(ConfigurationError) in
            try Deadline(calls.deadline)
            retry
            Targets(model.order, targets)
        }
    }
}
