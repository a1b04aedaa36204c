internal import CSpillway
internal import SpillwayCore

/// What permits of a bucket point to: the word, and what is needed to refuse.
final class BucketState: GateState, @unchecked Sendable {
    private struct Settings {
        var configuration = TokenBucket.Configuration(rate: .perSecond(1), burst: 1)
        var observer: (any Observer)?
    }

    private let words: UnsafeMutablePointer<spw_bucket>
    private var name = GateName(registering: "")
    /// The life in which the present gate began, or the unit was changed; guarded by the lock of the settings.
    private var born: UInt32 = 0
    private let settings = Locked(Settings())

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_bucket())
        super.init()
    }

    func begin(
        _ label: String, _ configuration: TokenBucket.Configuration, _ interval: Int64, _ observer: (any Observer)?
    ) {
        name = GateName(registering: label)
        settings.withLock {
            born = life
            $0 = Settings(configuration: configuration, observer: observer)
        }
        spw_bucket_init(words, interval, Int64(configuration.burst))
        setFlags(configuration)
    }

    func end() {
        name.release()
        settings.withLock { settings in
            endLife()
            settings.observer = nil
        }
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let unit = Unit(flags: spw_bucket_flags(words)), cost = unit.cost(of: call)
        // One that is thought to use nothing may yet use something.
        if cost == 0, unit != .calls { return Permit(raw(0, 0, now, life)) }
        return try take(cost, at: now)
    }

    func take(_ cost: UInt32, at now: Instant) throws(Rejection) -> Permit {
        if cost == 0 { return .free(at: now) }
        // Read first: see `update`.
        let life = life
        let answer = spw_bucket_take(words, now.nanoseconds, cost, 0)
        guard answer.wait == 0 else {
            try refuse(answer.wait)
            return .free(at: now)
        }
        return Permit(raw(answer.mark, cost, now, life))
    }

    /// The permit's words, and how many nanoseconds until the units are there.
    func take(
        _ cost: UInt32, at now: Instant, patience: Int64
    ) throws(Rejection) -> (permit: RawPermit, wait: Int64) {
        if cost == 0 { return (Permit.free(at: now).take(), 0) }
        let life = life
        let answer = spw_bucket_take(words, now.nanoseconds, cost, patience)
        guard answer.wait >= 0, answer.wait <= patience else {
            try refuse(answer.wait)
            return (Permit.free(at: now).take(), 0)
        }
        return (raw(answer.mark, cost, now, life), answer.wait)
    }

    private func raw(_ mark: UInt64, _ cost: UInt32, _ now: Instant, _ life: UInt32) -> RawPermit {
        RawPermit(
            state: .passUnretained(self), token: mark, admitted: now, cost: cost, life: life)
    }

    /// Throws, or in shadow mode only reports.
    private func refuse(_ wait: Int64) throws(Rejection) {
        let rejection = Rejection(name, wait < 0 ? .exceedsBurst : .rateLimited, retryAfter: wait)
        guard spw_bucket_flags(words) & BucketFlags.shadow != 0 else { throw rejection }
        settings.withLock { $0.observer }?.wouldHaveRejected(rejection)
    }

    override var isMetered: Bool { Unit(flags: spw_bucket_flags(words)) != .calls }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        guard outcome == nil else { return }
        correct(permit, Int(permit.cost), at: now)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        let unit = Unit(flags: spw_bucket_flags(words))
        correct(permit, unit.excess(of: Int(permit.cost), outcome, measured), at: now)
    }

    /// Gives back `excess` units of what the permit took; below 0: takes so many more.
    private func correct(_ permit: RawPermit, _ excess: Int, at now: Instant) {
        if excess == 0 { return }
        // Under the lock, so that the bucket does not begin another life in between.
        settings.withLock { _ in
            if excess > 0 {
                guard permit.life == life else { return }
                _ = spw_bucket_refund(words, now.nanoseconds, UInt32(excess), permit.token)
            } else if permit.life &- born <= life &- born {
                // Also what was taken before an update: these are units, whatever the rate.
                spw_bucket_charge(words, now.nanoseconds, Int64(-excess))
            }
        }
    }

    func available(at now: Instant) -> Int { Int(spw_bucket_available(words, now.nanoseconds)) }

    var configuration: TokenBucket.Configuration { settings.withLock { $0.configuration } }

    func update(_ configuration: TokenBucket.Configuration, _ interval: Int64, at now: Instant) {
        // The lock makes updaters take turns; callers wait at most for the few stores of the update itself.
        settings.withLock { settings in
            let isSameUnit = settings.configuration.unit == configuration.unit
            settings.configuration = configuration
            // What was taken at the old rate cannot be given back at the new one: such permits count for nothing now, nor
            // do those of the life between, whose rate nobody knows. A permit reads the life before it takes, so one that
            // has the new life took from the new bucket.
            endLife()
            spw_bucket_update(words, now.nanoseconds, interval, Int64(configuration.burst))
            setFlags(configuration)
            endLife()
            if !isSameUnit { born = life }
        }
    }

    private func setFlags(_ configuration: TokenBucket.Configuration) {
        spw_bucket_set_flags(
            words, configuration.unit.flags | (configuration.shadow ? BucketFlags.shadow : 0))
    }
}

/// What a bucket must know besides its word, in bits beside it.
enum BucketFlags {
    static let unit: UInt32 = 3
    static let shadow: UInt32 = 4
}

extension Unit {
    var flags: UInt32 {
        switch self {
        case .calls: 0
        case .tokens: 1
        case .inputTokens: 2
        case .outputTokens: 3
        }
    }

    init(flags: UInt32) {
        self =
            switch flags & BucketFlags.unit {
            case 0: .calls
            case 1: .tokens
            case 2: .inputTokens
            default: .outputTokens
            }
    }
}
