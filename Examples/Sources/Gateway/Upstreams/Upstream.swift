import AsyncHTTPClient
import Logging
import NIOHTTP1
import Spillway
import SpillwayHTTPClient

/// An upstream with the gates that all calls to it pass, whichever model they are for.
struct Upstream: Sendable {
    let name: String
    /// Nil: it has replicas.
    let url: String?
    /// Replicas of one's own, of which each attempt is given one; nil: it is one server.
    let fleet: Fleet?
    /// Who knows its replicas; nil: the file names them.
    let roster: Roster?
    /// How many of them there should be; nil: nobody asks.
    let capacity: Capacity?
    /// When replicas may be taken away; nil: nobody asks.
    let idle: Configuration.Replicas.Idle?
    /// Where the API lies that OpenAI made common.
    let apiPath: String
    let key: String?
    /// Whether it is told the deadline, and how many more attempts the call may take.
    let propagates: Bool
    /// How it is asked to go on with an answer; nil: it cannot.
    let prefill: Prefill.Style?
    let breaker: CircuitBreaker?
    let limit: ConcurrencyLimit?
    let quota: Quota?
    private let provider: ProviderSignals.Provider
    /// The likeliest to refuse first.
    let gates: [any Gate]

    /// An upstream with fresh gates; a fleet whose replicas the file does not name has none yet.
    init(_ configuration: Configuration.Upstream, logger: Logger) throws {
        name = configuration.name
        url = configuration.url
        fleet = try configuration.replicas.map {
            try Fleet(
                configuration.name, $0.choice, members: $0.members, at: SystemTime().now,
                observer: TransitionLog(logger: logger, fleet: configuration.name))
        }
        roster = try configuration.replicas?.followed()
        capacity = try configuration.replicas?.capacity.map { try Capacity($0) }
        idle = configuration.replicas?.idle
        apiPath = configuration.replicas?.watch.apiPath ?? "/v1"
        key = configuration.key
        propagates = configuration.propagates
        prefill = configuration.prefill
        breaker = try configuration.breaker.map {
            try CircuitBreaker(configuration.name, $0, observer: TransitionLog(logger: logger))
        }
        let bucket = try configuration.rateLimit.map { try TokenBucket("\(configuration.name).rate", $0) }
        let cooldown = configuration.cooldown.map { Cooldown("\(configuration.name).cooldown", $0) }
        limit = try configuration.concurrency.map { try ConcurrencyLimit("\(configuration.name).concurrency", $0) }
        quota = try configuration.quota.map { try Quota("\(configuration.name).quota", $0.limits) }
        provider = configuration.quota?.provider ?? .other
        let all: [(any Gate)?] = [fleet, cooldown, breaker, limit, bucket, quota]
        gates = all.compactMap { $0 }
    }

    /// Learns what an answer says of the provider's limits: from its head, and from the body of one that is an error.
    func learn(from response: HTTPClientResponse, _ body: [UInt8] = [], sent: Instant) {
        guard let quota else { return }
        let headers = response.headers
        let signals = ProviderSignals(
            provider, status: Int(response.status.code), headers: { headers.first(name: $0) }, body: body)
        quota.learn(signals, sent: sent, at: SystemTime().now)
    }

    /// Why no call could pass the breaker, or no replica would take it; nil: one could.
    ///
    /// A breaker whose open time is over is asked: if nobody sent calls because it is open, it would stay so for ever.
    func refusal(at now: Instant) -> Reason? {
        if let refusal = fleet?.refusal(at: now) { return refusal }
        guard let breaker, [.open, .isolated].contains(breaker.currentState) else { return nil }
        return breaker.refusal(at: now)
    }
}
