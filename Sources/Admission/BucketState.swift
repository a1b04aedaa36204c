internal import CSpillway
@_spi(SpillwayGates) internal import SpillwayCore

/// What permits of a bucket point to: the word, and what is needed to refuse.
final class BucketState: GateState, @unchecked Sendable {
    private struct Settings {
        var configuration = TokenBucket.Configuration(rate: .perSecond(1), burst: 1)
        var observer: (any Observer)?
    }

    private let words: UnsafeMutablePointer<spw_bucket>
    private var name = GateName(registering: "")
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
        settings.withLock { $0 = Settings(configuration: configuration, observer: observer) }
        spw_bucket_init(words, interval, Int64(configuration.burst))
        setFlags(configuration)
    }

    func end() {
        name.release()
        endLife()
        settings.withLock { $0.observer = nil }
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let cost = (Unit(flags: spw_bucket_flags(words))).cost(of: call)
        return Permit(try take(cost, at: now, patience: 0).permit)
    }

    /// The permit's words, and how many nanoseconds until the units are there.
    func take(
        _ cost: UInt32, at now: Instant, patience: Int64
    ) throws(Rejection) -> (permit: RawPermit, wait: Int64) {
        let answer = spw_bucket_take(words, now.nanoseconds, cost, patience)
        if answer.wait < 0 || answer.wait > patience {
            let rejection = Rejection(name, answer.wait < 0 ? .exceedsBurst : .rateLimited, retryAfter: answer.wait)
            try refuse(rejection)
            return (Permit.free(at: now).take(), 0)
        }
        let raw = RawPermit(
            state: .passUnretained(self), token: UInt64(bitPattern: answer.tat), admitted: now, cost: cost, life: life)
        return (raw, answer.wait)
    }

    private func refuse(_ rejection: Rejection) throws(Rejection) {
        guard spw_bucket_flags(words) & BucketFlags.shadow != 0 else { throw rejection }
        settings.withLock { $0.observer }?.wouldHaveRejected(rejection)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        guard outcome == nil, permit.life == life else { return }
        _ = spw_bucket_refund(words, now.nanoseconds, permit.cost, Int64(bitPattern: permit.token))
    }

    func available(at now: Instant) -> Int { Int(spw_bucket_available(words, now.nanoseconds)) }

    var configuration: TokenBucket.Configuration { settings.withLock { $0.configuration } }

    func update(_ configuration: TokenBucket.Configuration, _ interval: Int64, at now: Instant) {
        // The lock makes updaters take turns; callers do not wait for it.
        settings.withLock { settings in
            settings.configuration = configuration
            spw_bucket_update(words, now.nanoseconds, interval, Int64(configuration.burst))
            setFlags(configuration)
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
