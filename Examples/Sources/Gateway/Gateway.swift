import AsyncHTTPClient
import CostLedger
import HTTPTypes
import Hummingbird
import Logging
import Spillway
import SpillwayHTTPClient
import Synchronization

/// The gateway: its routes, its upstreams and what it counts.
final class Gateway: Sendable {
    let configuration: Configuration
    let http: HTTPClient
    let metrics = Metrics()
    let upstreams: [Upstream]
    /// What keeps the fleets among them informed.
    let watches: [FleetWatch]
    let routes: [String: Route]
    private let tenants: KeyedTokenBucket?
    /// Who pays for calls; nil: nobody asks.
    let treasury: Treasury?
    /// Conversations with fleets; nil: there are no fleets.
    let sessions: Sessions?
    /// Work for later; nil: there is none.
    let jobs: JobQueue?
    let logger: Logger
    private let draining = Atomic(false)

    /// A gateway that is ready to serve.
    ///
    /// - Parameters:
    ///   - http: Sends users' calls; it stays the caller's to shut down.
    ///   - store: Where the ledger's postings are kept; nil: in memory alone.
    ///   - jobStore: Where jobs are kept; nil: in memory alone.
    ///   - sessionStore: Where it is kept which replica has which conversation; nil: in memory alone.
    init(
        _ configuration: Configuration, http: HTTPClient, logger: Logger, store: (any LedgerStore)? = nil,
        jobStore: (any JobStore)? = nil, sessionStore: (any SessionStore)? = nil
    ) async throws {
        self.configuration = configuration
        self.http = http
        self.logger = logger
        let metrics = metrics
        var treasury: Treasury?
        if let spending = configuration.spending {
            treasury = try await Treasury(spending, tap: SpendTap(metrics: metrics, next: store), logger: logger)
        }
        self.treasury = treasury
        let upstreams = try configuration.upstreams.map { try Upstream($0, logger: logger) }
        self.upstreams = upstreams
        await withDiscardingTaskGroup { group in
            for upstream in upstreams { group.addTask { await upstream.muster(logger: logger) } }
        }
        watches = try zip(configuration.upstreams, upstreams).compactMap { own, made in
            let places = configuration.models.flatMap(\.targets).filter { $0.upstream == own.name }
            let served = places.first { $0.model != "*" }?.model
            guard let replicas = own.replicas, let fleet = made.fleet else { return nil }
            return try FleetWatch(
                fleet, replicas.watching(served: served, key: own.key), made.roster, logger: logger)
        }
        let byName = Dictionary(uniqueKeysWithValues: upstreams.map { ($0.name, $0) })
        // One budget for all models: together they must not ask the upstreams more than this.
        let budget = try configuration.budget.map { try RetryBudget("retries", $0) } ?? .unlimited
        var shelf = ModelShelf(configuration, upstreams: byName, ledger: treasury?.ledger)
        let watch = LadderWatch(metrics: metrics, log: TransitionLog(logger: logger))
        var routes: [String: Route] = [:]
        for model in configuration.models {
            routes[model.name] = try Route(
                model, upstreams: byName, shelf: &shelf, budget: budget, ledger: treasury?.ledger, observer: watch)
        }
        self.routes = routes
        sessions = try configuration.sessions.map {
            try Sessions($0, store: sessionStore, metrics: metrics, logger: logger)
        }
        jobs = try configuration.jobs.map { own in
            try JobQueue(
                "jobs", own.queue(mostBody: configuration.server.maxBodyBytes), store: jobStore ?? MemoryJobStore())
        }
        tenants = try configuration.tenantLimit.map { try KeyedTokenBucket("tenants", $0.bucket) }
    }

    /// How an upstream's client must be set up: the policies do the retries, and gates bound the load.
    static var httpConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration.underPolicy
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        return configuration
    }

    /// Whether the gateway drains.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// From now on the gateway is not ready.
    func drain() {
        draining.store(true, ordering: .relaxed)
    }

    /// The names of all models, in the order of the file.
    var models: [String] { configuration.models.map(\.name) }

    /// The route of a model.
    ///
    /// - Throws: ``APIError`` with the status 404.
    func route(_ model: String) throws -> Route {
        if let route = routes[model] ?? routes["*"] { return route }
        throw APIError(.notFound, "The model '\(model)' does not exist", param: "model", code: "model_not_found")
    }

    /// The tenant that `headers` name, where the limits of tenants go by a header; nil: nobody in particular.
    func tenantName(_ headers: HTTPFields) -> String? {
        configuration.tenantLimit.flatMap { HTTPField.Name($0.header) }.flatMap { headers[$0] }
    }

    /// Charges the tenant that `headers` name: once for a request, however often it is tried.
    ///
    /// - Throws: ``APIError`` with the status 429.
    func charge(_ headers: HTTPFields) throws {
        guard let tenants, let limit = configuration.tenantLimit, let name = HTTPField.Name(limit.header)
        else { return }
        let now = SystemTime().now
        do throws(Rejection) {
            let permit = try tenants.admit(headers[name] ?? "", at: now)
            permit.settle(.success, at: now)
        } catch {
            throw APIError(error, .tooManyRequests)
        }
    }
}
