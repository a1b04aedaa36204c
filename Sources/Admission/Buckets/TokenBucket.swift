internal import CSpillway
public import SpillwayCore

/// A gate that lets calls pass at a rate, with a burst: a token bucket in one word.
///
/// The algorithm is the generic cell rate algorithm (ITU-T I.371): one load and one compare-and-swap to admit, one load to
/// refuse. Over any span, at most `burst + rate × span` units pass, whatever the callers do at once.
public final class TokenBucket: BuiltInGate {
    /// How fast a bucket fills and how much it holds.
    public struct Configuration: Sendable, Hashable {
        /// How fast it fills.
        public var rate: Rate
        /// The most units that it holds, at least 1.
        ///
        /// A new bucket is full.
        public var burst: UInt32
        /// What it counts; calls by default.
        public var unit: Unit = .calls
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow = false

        /// A bucket that fills at `rate` and holds `burst` units.
        public init(rate: Rate, burst: UInt32, unit: Unit = .calls, shadow: Bool = false) {
            self.rate = rate
            self.burst = burst
            self.unit = unit
            self.shadow = shadow
        }
    }

    private static let pool = StatePool<BucketState>()
    /// Nanoseconds: 1.1 years, SPW_BUCKET_PATIENCE in ticks.
    private static let longestPatience: Int64 = 1 << 55

    /// What errors, reports and metrics call the bucket.
    public let name: String
    private let bucket: BucketState
    /// What permits and policies point to.
    public var state: GateState { bucket }

    /// A full bucket.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: Rate, burst and unit.
    ///   - observer: Told of what a bucket in shadow mode would have refused; nobody by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration, observer: (any Observer)? = nil
    ) throws(ConfigurationError) {
        try Validation("TokenBucket").name(name)
        let interval = try configuration.rate.interval(burst: configuration.burst, "TokenBucket")
        self.name = name
        bucket = Self.pool.take { BucketState() }
        bucket.begin(name, configuration, interval, observer)
    }

    deinit {
        bucket.end()
        Self.pool.put(bucket)
    }

    /// Takes what the call costs in the bucket's unit, or refuses and says when to come back.
    ///
    /// Voiding the permit gives back what has not dripped in since, unless units are promised to somebody who waits behind
    /// it. When others were admitted after it, what drips in 66 µs may be missing. A bucket that counts tokens gives back
    /// in the same way what a call was settled with less than it took, and takes what it used beyond, whether it is there or
    /// not: later calls wait for it. A policy tells it what `Attempt.used` was told. Else what was taken stays spent.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try bucket.admit(call, at: now)
    }

    /// Takes `cost` units, or refuses and says when to come back.
    ///
    /// A cost of 0 always passes.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(cost: UInt32 = 1, at now: Instant) throws(Rejection) -> Permit {
        try bucket.take(cost, at: now)
    }

    /// Takes `cost` units that will be there within `patience`, and says when.
    ///
    /// Whoever reserves must wait until ``Reservation/readyAt``. Reservations are served in the order in which they were
    /// made: each has a time of its own, so nobody wakes in vain.
    ///
    /// - Parameters:
    ///   - cost: Units, 1 by default.
    ///   - patience: The longest wait; more than a year counts as a year.
    ///   - now: The time of the call.
    /// - Throws: `Rejection`; then nothing was taken.
    public func reserve(
        cost: UInt32 = 1, within patience: Duration, at now: Instant
    ) throws(Rejection) -> Reservation {
        let patience = min(max(0, patience.clampedNanoseconds), Self.longestPatience)
        let (permit, wait) = try bucket.take(cost, at: now, patience: patience)
        return Reservation(permit: Permit(permit), readyAt: now.advanced(by: .nanoseconds(wait)))
    }

    /// Takes `cost` units and returns when they are there, at the latest at `deadline`.
    ///
    /// - Throws: `Rejection` at once when they will not be there in time; `CancellationError` when the task is cancelled
    ///   while it waits. Either way nothing stays taken but what others, who wait behind it, count on.
    public func acquire(
        cost: UInt32 = 1, until deadline: Instant, time: any TimeSource = .system
    ) async throws -> Permit {
        let now = time.now
        let reservation = try reserve(cost: cost, within: now.duration(to: deadline), at: now)
        if reservation.readyAt > now {
            do {
                try await time.sleep(until: reservation.readyAt)
            } catch {
                reservation.cancel(at: time.now)
                throw error
            }
        }
        return reservation.use()
    }

    /// Whole units that could be taken at `now`.
    public func available(at now: Instant) -> Int { bucket.available(at: now) }

    /// The configuration in force.
    public var configuration: Configuration { bucket.configuration }

    /// Changes the configuration; what was spent stays spent, and permits given before can no longer be given back.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration, at now: Instant) throws(ConfigurationError) {
        let interval = try configuration.rate.interval(burst: configuration.burst, "TokenBucket")
        bucket.update(configuration, interval, at: now)
    }

    /// Units that were taken ahead of time.
    public struct Reservation: ~Copyable, Sendable {
        private let permit: Permit
        /// When the units are there.
        public let readyAt: Instant

        init(permit: consuming Permit, readyAt: Instant) {
            self.permit = permit
            self.readyAt = readyAt
        }

        /// The permit, to be used at ``readyAt`` or later.
        public consuming func use() -> Permit { permit }

        /// Gives the units back.
        public consuming func cancel(at now: Instant) { permit.void(at: now) }
    }
}
