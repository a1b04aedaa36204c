import Spillway
import SpillwayHTTPClient

/// What a configuration file says, checked.
struct Configuration: Sendable {
    /// A server that answers calls.
    struct Upstream: Sendable {
        let name: String
        /// The address without a slash and without `/v1` at the end; nil: it has replicas.
        let url: String?
        /// The replicas of one's own that answer in its place; nil: it is one server.
        let replicas: Replicas?
        /// The key that is sent as a bearer token; nil: none.
        let key: String?
        /// Nil: no breaker.
        let breaker: CircuitBreaker.Configuration?
        /// Nil: no limit.
        let rateLimit: TokenBucket.Configuration?
        /// Whether it is told the deadline, and how many more attempts the call may take.
        let propagates: Bool
        /// How it is asked to go on with an answer that was begun elsewhere; nil: it cannot.
        let prefill: Prefill.Style?
        /// How long it is left alone after it answered 429; nil: not at all.
        let cooldown: Cooldown.Times?
        /// How many calls it is asked at once; nil: as many as come.
        let concurrency: ConcurrencyLimit.Configuration?
        /// What its provider allows, to be corrected by its answers; nil: nobody minds.
        let quota: ProviderQuota?
    }

    /// A model as clients call it.
    struct Model: Sendable {
        /// `*` stands for every name that no other model has.
        let name: String
        let order: Targets.Order
        /// All models of a ladder, where there is one.
        let targets: [Place]
        /// Nil: the targets are all alike.
        let ladder: Ladder?
        /// How its calls are made.
        let calls: Calls

        /// A model of an upstream.
        struct Place: Sendable, Hashable {
            let upstream: String
            /// `*`: the name that the client asked for.
            let model: String
            /// What the book of prices calls it.
            let priced: String
        }
    }

    /// How calls are made.
    struct Calls: Sendable {
        var deadline: Duration = .seconds(120)
        /// No attempt begins with less time than this before the deadline.
        var minimum: Duration = .zero
        var limits = Limits()
        /// What breakers are told of as slow; nil: nothing.
        var slow: SlowAnswer?
        var retries = 2
        var backoff = Backoff.standard
        /// Nil: no second attempt beside a slow one.
        var hedge: Hedging?
        /// The line in which calls wait for upstreams that are full; nil: they do not wait.
        var queue: FairQueue.Configuration?
        /// At what length of the line which calls are refused; nil: none is for that.
        var shed: LoadShedder.Configuration?
        var commit = CommitPoint.firstToken
        var recovery = StreamRecovery.fail
    }

    /// When a second attempt is started beside a slow one.
    struct Hedging: Sendable {
        let delay: Hedge.Delay
        let upTo: Int
        /// No hedge while more calls than these are under way by the route; nil: no such bound.
        let maxInFlight: Int?
    }

    /// How long one attempt may take.
    struct Limits: Sendable {
        /// The whole attempt.
        var attempt: Duration = .seconds(90)
        /// From the request to the first content of a stream.
        var firstContent: Duration = .seconds(20)
        /// From one content of a stream to the next.
        var stall: Duration = .seconds(10)
        /// The fewest tokens a second of a stream; nil: never mind.
        var tokensPerSecond: Double?
        /// How long a stream may fall behind that.
        var patience: Duration = .seconds(10)

        /// The limits as a policy takes them.
        func timeout() throws(ConfigurationError) -> AttemptTimeout {
            try AttemptTimeout(
                attempt, firstContent: firstContent, stall: stall, tokensPerSecond: tokensPerSecond, patience: patience)
        }
    }

    /// How often one tenant may call.
    struct TenantLimit: Sendable {
        let bucket: KeyedTokenBucket.Configuration
        /// The request header that names the tenant.
        let header: String
    }

    /// Where and how the gateway serves.
    struct Server: Sendable {
        var host = "127.0.0.1"
        var port = 8080
        var maxBodyBytes = 4 << 20
        var drain: Duration = .seconds(30)
    }

    let upstreams: [Upstream]
    let models: [Model]
    /// What bounds extra attempts of all models together; nil: nothing does.
    var budget: RetryBudget.Configuration? = .init()
    var tenantLimit: TenantLimit?
    var server = Server()
    /// What calls cost, and who pays; nil: nobody asks.
    var spending: Spending?
    /// How conversations are kept with replicas; nil: there is no fleet.
    var sessions: Sessions?
    /// How work for later is kept and done; nil: there is none.
    var jobs: Jobs?
}
