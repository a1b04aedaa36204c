import Spillway

/// What a configuration file says, checked.
struct Configuration: Sendable {
    /// A server that answers calls.
    struct Upstream: Sendable {
        let name: String
        /// The address without a slash and without `/v1` at the end.
        let url: String
        /// The key that is sent as a bearer token; nil: none.
        let key: String?
        /// Nil: no breaker.
        let breaker: CircuitBreaker.Configuration?
        /// Nil: no limit.
        let rateLimit: TokenBucket.Configuration?
        /// How long it is left alone after it answered 429; nil: not at all.
        let cooldown: Cooldown.Times?
    }

    /// A model as clients call it.
    struct Model: Sendable {
        /// `*` stands for every name that no other model has.
        let name: String
        let order: Targets.Order
        let targets: [Place]
        /// How its calls are made.
        let calls: Calls

        /// A model of an upstream.
        struct Place: Sendable {
            let upstream: String
            /// `*`: the name that the client asked for.
            let model: String
        }
    }

    /// How calls are made.
    struct Calls: Sendable {
        var deadline: Duration = .seconds(120)
        var limits = AttemptLimits()
        var retries = 2
        var backoff = Backoff.standard
        /// Nil: no second attempt beside a slow one.
        var hedge: Hedging?
        var commit = CommitPoint.firstToken
        var recovery = Recovery.fail
    }

    /// When a second attempt is started beside a slow one.
    struct Hedging: Sendable {
        let delay: Hedge.Delay
        let upTo: Int
    }

    /// From where on a stream is passed on to the client, so that no other attempt would go unnoticed.
    enum CommitPoint: Hashable {
        /// The first content.
        case firstToken
        /// About this many tokens.
        case tokens(Int)
        /// The end.
        case wholeAnswer
    }

    /// What is done when a stream fails after its commit point.
    enum Recovery {
        /// The client is told.
        case fail
        /// Another attempt gives the whole answer anew, and the client gets what it lacks, if the beginnings agree.
        case restart
        /// Another attempt goes on with what the client has.
        case `continue`
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
}
