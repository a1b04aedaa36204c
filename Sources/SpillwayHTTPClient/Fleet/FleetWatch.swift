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
/// Of each member it reads the page of metrics at the pace of `ScrapePace`, and, where the fleet has health checks, makes
/// the probes that `ReplicaHealth` asks for: a liveness probe is a GET, and a generation probe a chat of one token. At most
/// one of each is under way for a member, and neither waits for the other.
///
/// Calls that are to go on elsewhere, at a drain's deadline or when a replica is dead, it has told so.
///
/// A member whose label `dcgm` says where the page of a DCGM exporter is (a URL, `host:port/path`, or `:port/path` on its
/// own host) is kept out of use while a GPU of it is sick; its label `gpus`, UUIDs or numbers with commas between, says
/// which GPUs are its own.
///
/// Give it a client that does not try again what is refused, made with `HTTPClient.Configuration.underPolicy`, and whose
/// connections users' calls cannot use up: a probe that waits for a connection is one that is not answered.
public final class FleetWatch: Sendable {
    let fleet: Fleet
    let configuration: Configuration
    let client: HTTPClient
    let source: (any MemberSource)?
    let time: any TimeSource
    let random: RandomSource
    private let isRunning = Locked(false)

    /// A watch, which begins with ``run()``.
    ///
    /// - Parameters:
    ///   - fleet: Who is told.
    ///   - configuration: Where to ask, and how often.
    ///   - client: Sends the requests; the process's shared client by default. It stays the caller's to shut down.
    ///   - source: Who knows the members; nil, the default: those that the fleet has.
    ///   - time: Where the time of pauses and limits comes from; the machine by default.
    ///   - random: Where jitter comes from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ fleet: Fleet, _ configuration: FleetWatch.Configuration = .init(), client: HTTPClient = .shared,
        source: (any MemberSource)? = nil, time: any TimeSource = .system, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try configuration.validate()
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
        let (lists, feed) = AsyncStream.makeStream(of: [Member].self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                // A failed watch of a member cancels this, which ends the loop below.
                defer { feed.finish() }
                try await self.follow(feed)
            }
            group.addTask { await self.handOver() }
            var watched: [String: Watched] = [:]
            for await members in lists {
                for (member, health, stopped) in self.change(&watched, to: members) {
                    group.addTask { try await MemberWatch(self, member, health).run(until: stopped) }
                }
            }
        }
    }
}
#endif
