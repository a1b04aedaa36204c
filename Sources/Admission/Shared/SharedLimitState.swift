internal import CSpillway
internal import SpillwayCore

/// What permits of a shared limit point to: the slice, and the bucket for when the store is away.
final class SharedLimitState: GateState, @unchecked Sendable {
    /// In an object, because a closure that comes out of a lock would be wrapped in another.
    private final class Price: Sendable {
        let estimate: @Sendable (Call) -> Int64
        let used: (@Sendable (Usage) -> Int64)?

        init(_ cost: SharedLimit.Cost) { (estimate, used) = (cost.estimate, cost.used) }
    }

    private struct Settings {
        var configuration = SharedLimit.Configuration(.amount(1, per: .seconds(1)))
        var observer: (any Observer)?
        var isRunning = false
    }

    private static let largestUse = Int64(1) << 53
    private static let longestPoll = Int64(1_000_000_000)
    /// Instead of a slice's generation, in the permit of a call that passed by the share for when the store is away.
    private static let noSlice: UInt32 = 0

    /// Touched only by atomic steps in C.
    let slice: UnsafeMutablePointer<spw_slice>
    private let bucket: UnsafeMutablePointer<spw_bucket>
    let bell = Doorbell()
    private var name = GateName(registering: "")
    /// Written under the lock of the settings.
    ///
    /// Whoever has the limit may read it without; a permit may outlive its limit, so that settling reads it under the lock,
    /// and after a look at the life.
    private var price: Price?
    private let settings = Locked(Settings())

    override init() {
        slice = .allocate(capacity: 1)
        slice.initialize(to: spw_slice())
        bucket = .allocate(capacity: 1)
        bucket.initialize(to: spw_bucket())
        super.init()
    }

    func begin(
        _ label: String, _ configuration: SharedLimit.Configuration, _ cost: SharedLimit.Cost?,
        _ observer: (any Observer)?, at now: Instant
    ) {
        name = GateName(registering: label)
        settings.withLock {
            price = cost.map(Price.init)
            $0 = Settings(configuration: configuration, observer: observer)
        }
        spw_slice_init(slice)
        spw_slice_set_told(slice)
        let own = (try? configuration.fallbackBucket()) ?? (1, 1)
        spw_bucket_init(bucket, own.interval, own.burst)
        apply(configuration)
        let priced = cost == nil ? 0 : SliceFlags.priced | (cost?.used == nil ? 0 : SliceFlags.used)
        spw_slice_set_flags(slice, priced, 0)
        lost(at: now)
    }

    func end() {
        name.release()
        // What the closures hold is let go of when the lock is gone.
        let old = settings.withLock { settings in
            endLife()
            defer { (settings.observer, price) = (nil, nil) }
            _ = spw_slice_replace(slice, 0, .min)
            return (settings.observer, price)
        }
        withExtendedLifetime(old) {}
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let flags = spw_slice_flags(slice)
        let cost = price?.estimate(call) ?? Int64(Unit(flags: flags).cost(of: call))
        // One that is thought to use nothing may yet use something.
        if cost <= 0, isMetered {
            let isAlone = flags & SliceFlags.away != 0 && flags & SliceFlags.fallback != 0
            return permit(0, isAlone ? Self.noSlice : spw_slice_generation(slice), life, at: now)
        }
        return try take(cost, at: now)
    }

    /// - Parameter isRepeated: Whether the caller has been refused before, and has waited since.
    func take(_ cost: Int64, at now: Instant, isRepeated: Bool = false) throws(Rejection) -> Permit {
        if cost <= 0 { return .free(at: now) }
        // Read first: a permit of an old life, or of a slice that is gone, gives nothing back.
        let life = life, generation = spw_slice_generation(slice)
        let answer = spw_slice_take(slice, now.nanoseconds, cost)
        if answer != Int32(SPW_SLICE_TAKEN) {
            guard answer == Int32(SPW_SLICE_LOW) else {
                return try takeElsewhere(cost, life, at: now, isRepeated)
            }
            tell()
        }
        return permit(cost, generation, life, at: now)
    }

    private func permit(_ cost: Int64, _ generation: UInt32, _ life: UInt32, at now: Instant) -> Permit {
        Permit(
            RawPermit(
                state: .passUnretained(self), token: UInt64(bitPattern: cost), admitted: now, cost: generation,
                life: life))
    }

    private func tell() { if spw_slice_tell(slice) { bell.ring() } }

    /// Without enough of a slice: by the share for when the store is away, or not at all.
    @inline(never)
    private func takeElsewhere(
        _ cost: Int64, _ life: UInt32, at now: Instant, _ isRepeated: Bool
    ) throws(Rejection) -> Permit {
        let flags = spw_slice_flags(slice), isAmount = flags & SliceFlags.amount != 0
        var reason: Reason = .rateLimited, wait = wait(at: now)
        if cost > spw_slice_most(slice) {
            (reason, wait) = (isAmount ? .spendLimit : .exceedsBurst, -1)
        } else {
            spw_slice_miss(slice, cost, isRepeated ? 0 : cost)
            tell()
            if flags & SliceFlags.away != 0 {
                reason = .storeUnavailable
                if flags & SliceFlags.running == 0 { wait = -1 }
                if flags & SliceFlags.fallback != 0, let units = UInt32(exactly: cost) {
                    let answer = spw_bucket_take(bucket, now.nanoseconds, units, 0)
                    if answer.wait == 0 {
                        spw_slice_spend_unleased(slice, cost)
                        return permit(cost, Self.noSlice, life, at: now)
                    }
                    wait = answer.wait
                }
            } else if isAmount, cost > spw_slice_rest(slice), now.nanoseconds < spw_slice_ends(slice) {
                // All but what the call needs is spent; what others only hold may yet come back.
                (reason, wait) = (.spendLimit, spw_slice_ends(slice) &- now.nanoseconds)
            }
        }
        let rejection = Rejection(name, reason, retryAfter: wait)
        guard flags & BucketFlags.shadow != 0 else { throw rejection }
        settings.withLock { $0.observer }?.wouldHaveRejected(rejection)
        return .free(at: now)
    }

    /// Nanoseconds until there may be more.
    ///
    /// When an answer comes nobody knows: whoever waits for one asks again after as long as it has taken so far.
    private func wait(at now: Instant) -> Int64 {
        let asked = spw_slice_asked(slice), taken = asked == .max ? 0 : now.nanoseconds &- asked
        return max(1_000_000, spw_slice_again(slice) &- now.nanoseconds, min(taken, Self.longestPoll))
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        guard outcome == nil else { return }
        correct(permit, Int64(bitPattern: permit.token), at: now)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        guard outcome != nil, let usage = measured.usage, let used = used(usage, by: permit) else {
            return settle(permit, outcome, at: now)
        }
        let rest = Int64(bitPattern: permit.token) &- min(max(0, used), Self.largestUse)
        if rest != 0 { correct(permit, rest, at: now) }
    }

    private func correct(_ permit: RawPermit, _ units: Int64, at now: Instant) {
        // Under the lock, so that the limit does not begin another life in between.
        settings.withLock { _ in
            guard permit.life == life else { return }
            if permit.cost != Self.noSlice {
                spw_slice_correct(slice, permit.cost, units)
            } else if units < 0 {
                // What was spent without a slice may have been told already: it is not given back, but more is told.
                spw_bucket_charge(bucket, now.nanoseconds, -units)
                spw_slice_spend_unleased(slice, -units)
            }
        }
    }

    override var isMetered: Bool {
        let flags = spw_slice_flags(slice)
        return flags & SliceFlags.priced != 0 ? flags & SliceFlags.used != 0 : Unit(flags: flags) != .calls
    }

    /// What a call has cost that used so much; nil: as much as estimated.
    private func used(_ usage: Usage, by permit: RawPermit) -> Int64? {
        let flags = spw_slice_flags(slice)
        if flags & SliceFlags.priced != 0 {
            return settings.withLock { _ in permit.life == life ? price : nil }?.used?(usage)
        }
        return switch Unit(flags: flags) {
        case .calls: nil
        case .tokens: Int64(usage.tokens)
        case .inputTokens: Int64(usage.promptTokens)
        case .outputTokens: Int64(usage.answerTokens)
        }
    }

    var configuration: SharedLimit.Configuration { settings.withLock { $0.configuration } }

    func available(at now: Instant) -> Int {
        now.nanoseconds < spw_slice_expires(slice) ? Int(max(0, spw_slice_units(slice))) : 0
    }

    var isStoreAway: Bool { spw_slice_flags(slice) & SliceFlags.away != 0 }

    func update(_ configuration: SharedLimit.Configuration, at now: Instant) {
        settings.withLock { settings in
            let old = settings.configuration
            settings.configuration = configuration
            // How much of another amount is spent nobody has said.
            spw_slice_set_rest(slice, .max, .min)
            // What was counted in another unit cannot be given back in this one.
            if old.unit != configuration.unit { endLife() }
            if let own = try? configuration.fallbackBucket() {
                spw_bucket_update(bucket, now.nanoseconds, own.interval, own.burst)
                // What dripped in while there was no share to spend it is nobody's.
                if old.fallback == .refuse { spw_bucket_drain(bucket, now.nanoseconds) }
            }
            apply(configuration)
        }
    }

    private func apply(_ configuration: SharedLimit.Configuration) {
        spw_slice_set_most(slice, configuration.most)
        let set =
            configuration.unit.flags | (configuration.shadow ? BucketFlags.shadow : 0)
            | (configuration.isAmount ? SliceFlags.amount : 0)
            | (configuration.fallback == .refuse ? 0 : SliceFlags.fallback)
        let kept = SliceFlags.away | SliceFlags.running | SliceFlags.priced | SliceFlags.used
        spw_slice_set_flags(slice, set, ~kept)
    }

    // For the one who talks to the store.

    /// Whether nobody else does already.
    func start(at now: Instant) -> Bool {
        let starts = settings.withLock { settings in
            defer { settings.isRunning = true }
            return !settings.isRunning
        }
        if starts {
            lost(at: now)
            spw_slice_set_flags(slice, SliceFlags.running, 0)
        }
        return starts
    }

    func stop(at now: Instant) {
        spw_slice_set_told(slice)
        spw_slice_set_asked(slice, .max)
        if !isStoreAway { lost(at: now) }
        spw_slice_set_flags(slice, 0, SliceFlags.running)
        settings.withLock { $0.isRunning = false }
    }

    /// The store is away: from now on what it would have given drips in here.
    func lost(at now: Instant) {
        spw_bucket_drain(bucket, now.nanoseconds)
        spw_slice_set_flags(slice, SliceFlags.away, 0)
    }

    func found() { spw_slice_set_flags(slice, 0, SliceFlags.away) }
}

/// What a shared limit must know besides its slice, in bits beside those of a bucket.
enum SliceFlags {
    /// The store does not answer, or nobody asks it.
    static let away: UInt32 = 8
    /// It counts an amount and not a rate.
    static let amount: UInt32 = 16
    /// There is a bucket for when the store is away.
    static let fallback: UInt32 = 32
    /// Somebody talks to the store, or tries to.
    static let running: UInt32 = 64
    /// It has a cost of its own, and that one can say what a call has used.
    static let priced: UInt32 = 128
    static let used: UInt32 = 256
}
