internal import CSpillway
public import SpillwayCore

/// A gate on a limit that processes share, which decides in this one's memory.
///
/// A process takes a slice of the limit from a ``LeaseStore``, spends it here without a word to anybody, and asks for the next
/// one when little is left: so a decision costs what that of a ``TokenBucket`` costs, and no call waits for the store. How
/// large slices are follows from what this process spends; none is larger than half of what is left for all. ``run()`` talks
/// to the store, and must run for as long as the limit is used.
///
/// All processes together never spend more than the limit and the slices that were out when the store lost its memory or a
/// process died, and what a ``Fallback`` lets them spend while the store is away.
public final class SharedLimit: BuiltInGate {
    private static let pool = StatePool<SharedLimitState>()

    /// What errors, reports and metrics call the limit; processes that give it the same name share it.
    public let name: String
    private let store: any LeaseStore
    private let time: any TimeSource
    private let random: RandomSource
    private let limit: SharedLimitState
    /// What permits and policies point to.
    public var state: GateState { limit }

    /// A limit of which this process has nothing yet.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes, the same in all processes.
    ///   - configuration: How much there is, and how slices are taken.
    ///   - store: Where slices come from.
    ///   - cost: What a call costs, where no ``Unit`` says it.
    ///   - observer: Told of what a limit in shadow mode would have refused; nobody by default.
    ///   - time: The clock by which leases end here; the system's by default. It must be the one of the callers.
    ///   - random: Where the number of this holder and the jitter come from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration, store: any LeaseStore, cost: Cost? = nil,
        observer: (any Observer)? = nil, time: any TimeSource = .system, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("SharedLimit").name(name)
        try configuration.validate()
        self.name = name
        self.store = store
        self.time = time
        self.random = random
        limit = Self.pool.take { SharedLimitState() }
        limit.begin(name, configuration, cost, observer, at: time.now)
    }

    deinit {
        limit.end()
        Self.pool.put(limit)
    }

    /// Takes what the call costs out of this process's slice, or refuses and says when to come back.
    ///
    /// Voiding the permit gives it back while the slice lasts. When the permit is settled with what the call has used, the
    /// difference to the estimate is given back, or charged.
    ///
    /// - Throws: `Rejection`; then nothing was taken: `rateLimited` when there is not enough yet, `spendLimit` when an amount
    ///   is used up, `exceedsBurst` when there never is so much, `storeUnavailable` when the store is away, or ``run()`` does
    ///   not run, and then nobody knows when to come back.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try limit.admit(call, at: now)
    }

    /// Takes `cost` units out of this process's slice, or refuses and says when to come back.
    ///
    /// A cost of 0 or less always passes.
    ///
    /// - Throws: `Rejection`, as ``admit(_:at:)``; then nothing was taken.
    public func admit(cost: Int64 = 1, at now: Instant) throws(Rejection) -> Permit {
        try limit.take(cost, at: now)
    }

    /// Takes `cost` units as soon as this process has them, at the latest at `deadline`.
    ///
    /// Whoever waits asks again when the next slice may be there, also before ``run()`` runs; no order is kept among those
    /// who wait.
    ///
    /// - Throws: The last `Rejection` when they are not there in time, or never will be; `CancellationError` when the task is
    ///   cancelled while it waits.
    public func acquire(cost: Int64 = 1, until deadline: Instant) async throws -> Permit {
        var pause = Duration.milliseconds(1), isRepeated = false
        while true {
            let now = time.now, rejection: Rejection, wake: Instant
            do throws(Rejection) {
                return try limit.take(cost, at: now, isRepeated: isRepeated)
            } catch { rejection = error }
            isRepeated = true
            if let wait = rejection.retryAfter {
                wake = now.advanced(by: wait)
            } else {
                // It may be about to run.
                guard rejection.reason == .storeUnavailable, now < deadline else { throw rejection }
                wake = min(now.advanced(by: pause), deadline)
                pause = min(pause * 2, .milliseconds(100))
            }
            guard wake <= deadline else { throw rejection }
            try await time.sleep(until: wake)
        }
    }

    /// Units of this process's slice at `now`.
    public func available(at now: Instant) -> Int { limit.available(at: now) }

    /// Whether the store does not answer, or ``run()`` does not run.
    public var isStoreAway: Bool { limit.isStoreAway }

    /// The configuration in force.
    public var configuration: Configuration { limit.configuration }

    /// Changes the configuration; the slice stays.
    ///
    /// The limit itself is the store's: give all processes the new one, for each counts by its own when it asks.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays. A rate stays a rate, and an amount one of the same
    ///   span.
    public func update(_ configuration: Configuration, at now: Instant) throws(ConfigurationError) {
        try configuration.validate()
        let isSame =
            switch (self.configuration.limit, configuration.limit) {
            case (.rate, .rate): true
            case (.amount(_, let old), .amount(_, let new)): old == new
            default: false
            }
        try Validation("SharedLimit").require(
            isSame, "limit", configuration.limit, "of the same kind and span as when it was made")
        limit.update(configuration, at: now)
    }

    /// Talks to the store until the task is cancelled, and then gives back what is left.
    ///
    /// It waits until units are wanted, and asks for no more than are: a limit that nobody uses causes no traffic. It has the
    /// shape of a service of swift-service-lifecycle.
    ///
    /// - Throws: `ConfigurationError` when it runs already.
    public func run() async throws {
        try Validation("SharedLimit").require(
            limit.start(at: time.now), "run", "running", "called once at a time")
        defer { limit.stop(at: time.now) }
        var holder = LeaseHolder(limit.slice, key: name, random: random, at: time.now)
        while !Task.isCancelled {
            switch holder.next(configuration, at: time.now) {
            case .wait(let instant, forWish: true): await limit.bell.wait(until: instant, time)
            case .wait(let instant, forWish: false): try? await time.sleep(until: instant ?? time.now)
            case .ask(let request):
                do throws(LeaseStoreError) {
                    let reply = try await store.exchange(request)
                    guard reply.answers(request) else {
                        throw LeaseStoreError(.malformed, "\(reply) answers \(request)")
                    }
                    holder.received(reply, configuration, at: time.now)
                    limit.found()
                } catch {
                    if !limit.isStoreAway { limit.lost(at: time.now) }
                    holder.failed(configuration, at: time.now)
                }
            }
        }
        guard let last = holder.last(configuration, at: time.now) else { return }
        // Not cancelled with this one: it ends soon by itself.
        let store = store
        _ = await ChildTask.start(on: TaskExecutorPreference.current) { try? await store.exchange(last) }.value
    }
}
