#if HTTPClientSupport
public import AsyncHTTPClient
public import Spillway

/// Keeps a fleet informed: reads its engines' load, probes their health, and follows who its members are.
///
/// ```swift
/// let watch = try FleetWatch(fleet, source: FileMembers("/etc/fleet"))
/// async let watching: Void = watch.run()
/// ```
///
/// Of each member it reads the page of metrics at the pace of `ScrapePace`, and, where the fleet has health checks,
/// makes the probes that `ReplicaHealth` asks for: a liveness probe is a GET, and a generation probe a chat of one
/// token, or what ``Configuration/probe`` says. At most one of each is under way for a member, and neither waits for
/// the other. One probe may ask twice, for a token and then whether anybody is there, so that its lease must be twice
/// as long as `firstToken`, or longer; after a change of the fleet's configuration to less, its questions are cut off
/// early.
///
/// Calls that are to go on elsewhere, at a drain's deadline or when a replica is dead, it has told so. Of a member that is wanted no
/// more it probes whether it lives until its last call has ended.
///
/// A member whose label `dcgm` says where the page of a DCGM exporter is (a URL, `host:port/path`, or `:port/path` on its
/// own host) is kept out of use while a GPU of it is sick; its label `gpus`, UUIDs or numbers with commas between, says
/// which GPUs are its own.
///
/// It asks through a client of its own. Where it must be given one, as for the sake of certificates, let it be one that nobody
/// else uses, made with `HTTPClient.Configuration.underPolicy`: while users' calls have all its connections, a probe waits for
/// one, and the client does not say that this was why nothing came, unless `timeout.connect` is shorter than the `firstToken` of
/// the health checks.
public final class FleetWatch: Sendable {
    let fleet: Fleet
    let configuration: Configuration
    let client: HTTPClient?
    let source: (any MemberSource)?
    let time: any TimeSource
    let random: RandomSource
    /// Members for which the fleet has no place, as was told.
    let leftOut = Locked<[String]>([])
    /// Rung when calls of one of them may have to go on elsewhere.
    let trouble = Doorbell()
    private let isRunning = Locked(false)

    /// A watch, which begins with ``run()``.
    ///
    /// - Parameters:
    ///   - fleet: Who is told.
    ///   - configuration: Where to ask, and how often.
    ///   - client: Sends the requests, and stays the caller's to shut down; nil, the default: one that lives as long as ``run()``.
    ///   - source: Who knows the members; nil, the default: those that the fleet has.
    ///   - time: Where the time of pauses and limits comes from; the machine by default.
    ///   - random: Where jitter comes from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value, also for a fleet whose probes have too short a lease.
    public init(
        _ fleet: Fleet, _ configuration: FleetWatch.Configuration = .init(), client: HTTPClient? = nil,
        source: (any MemberSource)? = nil, time: any TimeSource = .system, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try configuration.validate()
        for member in fleet.members { try member.validateURL() }
        if let health = fleet.configuration.health {
            try Validation("FleetWatch").require(
                health.probeLease >= health.firstToken * 2, "probeLease", health.probeLease,
                "at least twice firstToken, which is \(health.firstToken)")
        }
        self.fleet = fleet
        self.configuration = configuration
        self.client = client
        self.source = source
        self.time = time
        self.random = random
    }

    /// Watches until the task is cancelled; nothing is under way any more when it returns.
    ///
    /// - Throws: `ConfigurationError` while it runs already, and `HTTPClientError` when the client was shut down.
    public func run() async throws {
        let isFirst = isRunning.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        try Validation("FleetWatch").require(isFirst, "run", "under way", "one at a time")
        defer { isRunning.withLock { $0 = false } }
        if let client { return try await watch(through: client) }
        let own = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        do {
            try await watch(through: own)
        } catch {
            try? await own.shutdown()
            throw error
        }
        try await own.shutdown()
    }

    private func watch(through client: HTTPClient) async throws {
        let (lists, feed) = AsyncStream.makeStream(of: [Member].self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                // A failed watch of a member cancels this, which ends the loop below.
                defer { feed.finish() }
                try await self.follow(feed)
            }
            group.addTask { await self.handOver() }
            var watched = AllWatched()
            for await members in lists {
                for new in self.change(&watched, to: members) {
                    group.addTask { try await MemberWatch(self, client, new).run() }
                }
            }
        }
    }
}
#endif
