import CostLedger
import Spillway
import SpillwayHTTPClient

/// A model as clients call it, and how its calls are made.
struct Route: Sendable {
    let name: String
    /// They share all gates and the budget, and know different times: of a stream, those to its commit point.
    private let policies: (streams: Policy, whole: Policy)
    private let underWay = CallCount()
    /// What is acceptable when the best answer is not to be had; nil: all targets are alike.
    let ladder: Ladder?
    /// Where calls wait for upstreams that are full.
    let queue: FairQueue?
    /// From where on a stream is passed on to the client.
    let commit: CommitPoint
    /// What becomes of a stream that breaks off after that.
    let recovery: StreamRecovery
    /// By the name of the policy's target.
    let places: [String: Place]
    /// The names of the fleets among its places, whose replicas are chosen by the prompt.
    let fleets: [String]
    /// The upstream to which each call comes first; nil: it depends on the call.
    let entrance: Upstream?
    /// Whether some place has the price of whatever the client asks for.
    var hasWildcard: Bool { places.values.contains(where: \.isWildcard) }

    /// A route over `upstreams`, paid for by `ledger`.
    init(
        _ model: Configuration.Model, upstreams: [String: Upstream], shelf: inout ModelShelf, budget: RetryBudget,
        ledger: Ledger?, observer: any Observer
    ) throws {
        let calls = model.calls
        name = model.name
        commit = calls.commit
        recovery = calls.recovery
        let queue = try calls.queue.map { try FairQueue("\(model.name).queue", $0) }
        self.queue = queue
        let router: ModelRouter?
        var targets: [Target] = []
        if let own = model.ladder {
            var load: (@Sendable (Instant) -> Double)?
            if let queue { load = { queue.pressure(at: $0) } }
            let (ladder, places) = try Ladder.made(
                model, own, shelf: &shelf, budget: budget, load: load, observer: observer)
            self.ladder = ladder
            self.places = places
            router = ladder.router
        } else {
            var places: [String: Place] = [:]
            for target in model.targets {
                let place = try Place(target, at: upstreams[target.upstream]!, ledger: ledger)
                places[target.name] = place
                targets.append(
                    Target(
                        target.name,
                        gates: Self.gates(of: place.upstream, calls.recovery) + [place.account].compactMap(\.self),
                        isFleet: place.upstream.fleet != nil))
            }
            ladder = nil
            self.places = places
            router = nil
        }
        fleets = Set(places.values.compactMap(\.upstream.fleet?.name)).sorted()
        entrance = model.entrance.flatMap { upstreams[$0] }
        // What another provider or key may well do better.
        let elsewhere: Outcome.Causes = targets.count > 1 ? [.quotaExhausted, .authentication] : []
        // What no replica takes another target may.
        let replicas: Outcome.Causes = targets.count > 1 && !fleets.isEmpty ? [.rejected] : []
        // One that does not go on with an answer need not be the last.
        let further: Outcome.Causes = if case .continue = calls.recovery { [.truncated] } else { [] }
        // Of a ladder whose last tier has nothing it is the upstreams that may soon do better.
        let nothing: Outcome.Causes = router == nil ? [] : [.noAnswer]
        let retry = try Retry(
            upTo: calls.retries, backoff: calls.backoff,
            on: .transient.union(elsewhere).union(replicas).union(further).union(nothing),
            budget: budget)
        let shedder = try calls.shed.flatMap { shed in
            try queue.map { queue in try LoadShedder("\(model.name).load", shed) { queue.pressure(at: $0) } }
        }
        let underWay = underWay, sorted = targets
        func policy() throws -> Policy {
            let hedge = try calls.hedge.map { try Hedge($0, budget: budget, beside: underWay) }
            return try Policy(model.name) { () throws(ConfigurationError) in
                try Deadline(calls.deadline, atLeast: calls.minimum)
                retry
                if let hedge { hedge }
                try calls.limits.timeout()
                if let slow = calls.slow { slow }
                if let shedder { Gates(shedder) }
                if let queue { queue }
                if let router { router } else { Targets(model.order, sorted) }
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
