import CostLedger
import Spillway
import SpillwayHTTPClient

/// A model as clients call it, and how its calls are made.
struct Route: Sendable {
    /// A model of an upstream.
    struct Place: Sendable {
        let upstream: Upstream
        /// `*`: the name that the client asked for.
        let model: String
        /// What the book of prices calls it; `*`: what the client asked for.
        let priced: String
        /// Who pays for what is asked here, and at what price; nil: nothing is priced.
        let account: Account?

        /// Whether its price is that of whatever the client asked for.
        var isWildcard: Bool { priced == "*" }

        /// The name that the upstream is asked for, for a client that asked for `name`.
        func asked(for name: String) -> String { model == "*" ? name : model }
    }

    let name: String
    /// They share all gates and the budget, and know different times: of a stream, those to its commit point.
    private let policies: (streams: Policy, whole: Policy)
    private let underWay = CallCount()
    /// From where on a stream is passed on to the client.
    let commit: CommitPoint
    /// What becomes of a stream that breaks off after that.
    let recovery: StreamRecovery
    /// By the name of the policy's target.
    let places: [String: Place]
    /// Whether some place has the price of whatever the client asks for.
    var hasWildcard: Bool { places.values.contains(where: \.isWildcard) }

    /// A route over `upstreams`, paid for by `ledger`.
    init(_ model: Configuration.Model, upstreams: [String: Upstream], budget: RetryBudget, ledger: Ledger?) throws {
        let calls = model.calls
        name = model.name
        commit = calls.commit
        recovery = calls.recovery
        let places = try Dictionary(
            uniqueKeysWithValues: model.targets.map { target in
                // At the price of the model that answers. Where that is any, of the one that was asked for, which the bill
                // says.
                let account = try ledger?.account(
                    .provider(target.upstream), .model(target.model),
                    model: target.priced == "*" ? nil : target.priced, isPayerNeeded: true)
                let upstream = upstreams[target.upstream]!
                return (
                    target.name, Place(upstream: upstream, model: target.model, priced: target.priced, account: account)
                )
            })
        self.places = places
        let targets = model.targets.map { target in
            let place = places[target.name]!
            return Target(
                target.name, gates: Self.gates(of: place.upstream, calls.recovery) + [place.account].compactMap(\.self))
        }
        // What another provider or key may well do better.
        let elsewhere: Outcome.Causes = targets.count > 1 ? [.quotaExhausted, .authentication] : []
        // One that does not go on with an answer need not be the last.
        let further: Outcome.Causes = if case .continue = calls.recovery { [.truncated] } else { [] }
        let retry = try Retry(
            upTo: calls.retries, backoff: calls.backoff, on: .transient.union(elsewhere).union(further),
            budget: budget)
        let underWay = underWay
        func policy() throws -> Policy {
            let hedge = try calls.hedge.map { try Hedge($0, budget: budget, beside: underWay) }
            return try Policy(model.name) { () throws(ConfigurationError) in
                try Deadline(calls.deadline, atLeast: calls.minimum)
                retry
                if let hedge { hedge }
                try calls.limits.timeout()
                if let slow = calls.slow { slow }
                Targets(model.order, targets)
            }
        }
        policies = (streams: try policy(), whole: try policy())
    }

    /// Makes a call and says what happened to it.
    func reported<Success: Sendable>(
        _ call: Call, _ operation: @Sendable (Attempt) async throws(UpstreamError) -> Success
    ) async -> (result: Result<Success, PolicyError<UpstreamError>>, report: CallReport) {
        await underWay.during {
            await (call.streams ? policies.streams : policies.whole).reported(call, operation)
        }
    }

    /// The likeliest to refuse first.
    private static func gates(of upstream: Upstream, _ recovery: StreamRecovery) -> [any Gate] {
        guard case .continue = recovery, upstream.prefill == nil else { return upstream.gates }
        return [PrefillGate("\(upstream.name).prefill")] + upstream.gates
    }
}

extension Hedge {
    /// The hedge of a route of which `calls` are under way.
    fileprivate init(
        _ own: Configuration.Hedging, budget: RetryBudget, beside calls: CallCount
    ) throws(ConfigurationError) {
        let most = own.maxInFlight ?? .max
        try self.init(after: own.delay, upTo: own.upTo, budget: budget) { calls.current <= most }
    }
}
