internal import CSpillway
internal import SpillwayCore

/// What permits of keyed buckets point to.
///
/// The table is freed with its gate; the small object goes on to the next one.
final class KeyedState: GateState, @unchecked Sendable {
    private let words: UnsafeMutablePointer<spw_keyed>
    private var name = GateName(registering: "")
    /// The life in which the present gate began, or the unit was changed; guarded by the table's lock.
    private var born: UInt32 = 0
    private var seed: UInt64 = 0
    private var keys = 0
    /// Held while the table is made, changed, refunded to or freed, so that none of these meets another.
    private let table = Locked<(any Observer)?>(nil)

    override init() {
        words = .allocate(capacity: 1)
        words.initialize(to: spw_keyed())
        super.init()
    }

    func begin(
        _ label: String, _ configuration: KeyedTokenBucket.Configuration, _ interval: Int64,
        _ observer: (any Observer)?
    ) throws(ConfigurationError) {
        name = GateName(registering: label)
        seed = RandomSource.system.next()
        keys = configuration.keys
        let made = table.withLock { current in
            current = observer
            born = life
            let made = spw_keyed_init(words, interval, Int64(configuration.burst), UInt64(keys) * 2, seed)
            if made { spw_keyed_set_flags(words, configuration.flags) }
            return made
        }
        guard made else {
            throw ConfigurationError(
                policy: "KeyedTokenBucket", field: "keys", value: "\(keys)", expected: "so few that memory suffices")
        }
    }

    func end() {
        name.release()
        table.withLock { observer in
            observer = nil
            endLife()
            spw_keyed_destroy(words)
        }
    }

    func hash(_ key: UInt64) -> UInt64 { spw_hash_integer(key, seed) }

    func hash(_ key: String) -> UInt64 {
        if let hash = key.utf8.withContiguousStorageIfAvailable({
            spw_hash_bytes($0.baseAddress, $0.count, seed)
        }) {
            return hash
        }
        var key = key
        return key.withUTF8 { spw_hash_bytes($0.baseAddress, $0.count, seed) }
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let unit = Unit(flags: spw_keyed_flags(words)), cost = unit.cost(of: call)
        let hash = hash(call.key ?? "")
        if cost == 0, unit != .calls {
            // One that is thought to use nothing may yet use something.
            return Permit(
                RawPermit(state: .passUnretained(self), token: hash, admitted: .zero, cost: 0, life: life))
        }
        return try take(hash, cost, at: now)
    }

    func take(_ hash: UInt64, _ cost: UInt32, at now: Instant) throws(Rejection) -> Permit {
        if cost == 0 { return .free(at: now) }
        let life = life  // read first, as in `BucketState.take`
        let answer = spw_keyed_take(words, hash, now.nanoseconds, cost)
        guard answer.wait == 0 else {
            let reason: Reason = answer.wait > 0 ? .rateLimited : answer.wait == -1 ? .exceedsBurst : .tooManyKeys
            let rejection = Rejection(name, reason, retryAfter: answer.wait)
            guard spw_keyed_flags(words) & BucketFlags.shadow != 0 else { throw rejection }
            table.withLock { $0 }?.wouldHaveRejected(rejection)
            return .free(at: now)
        }
        // A permit has four words, and this gate needs the key and the debt; it never needs the time of admission.
        let debt = Instant(nanoseconds: Int64(bitPattern: answer.mark))
        return Permit(
            RawPermit(state: .passUnretained(self), token: hash, admitted: debt, cost: cost, life: life))
    }

    override var isMetered: Bool { Unit(flags: spw_keyed_flags(words)) != .calls }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        guard outcome == nil else { return }
        correct(permit, Int(permit.cost), at: now)
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        let unit = Unit(flags: spw_keyed_flags(words))
        correct(permit, unit.excess(of: Int(permit.cost), outcome, measured), at: now)
    }

    /// Gives back `excess` units of what the permit took; below 0: takes so many more.
    private func correct(_ permit: RawPermit, _ excess: Int, at now: Instant) {
        if excess == 0 { return }
        table.withLock { _ in
            if excess > 0 {
                guard permit.life == life else { return }
                _ = spw_keyed_refund(
                    words, permit.token, now.nanoseconds, UInt32(excess), permit.admitted.nanoseconds)
            } else if permit.life &- born <= life &- born {
                _ = spw_keyed_charge(words, permit.token, now.nanoseconds, Int64(-excess))
            }
        }
    }

    func active(at now: Instant) -> Int { Int(spw_keyed_active(words, now.nanoseconds)) }

    var memory: Int { Int(spw_keyed_slots(words)) * MemoryLayout<spw_keyed_slot>.stride }

    func update(_ configuration: KeyedTokenBucket.Configuration) throws(ConfigurationError) {
        let interval = try configuration.interval()
        try Validation("KeyedTokenBucket").require(
            configuration.keys == keys, "keys", configuration.keys, "\(keys), as when it was made")
        table.withLock { _ in
            spw_keyed_update(words, interval, Int64(configuration.burst))
            endLife()
            if spw_keyed_flags(words) & BucketFlags.unit != configuration.unit.flags { born = life }
            spw_keyed_set_flags(words, configuration.flags)
        }
    }
}

extension KeyedTokenBucket.Configuration {
    fileprivate var flags: UInt32 { unit.flags | (shadow ? BucketFlags.shadow : 0) }
}
