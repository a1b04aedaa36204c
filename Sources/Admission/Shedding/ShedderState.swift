internal import CSpillway
internal import SpillwayCore

/// What permits of a shedder point to.
final class ShedderState: GateState, @unchecked Sendable {
    /// In an object, because a closure that comes out of a lock would be wrapped in another.
    private final class Load: Sendable {
        let now: @Sendable (Instant) -> Double
        init(_ now: @escaping @Sendable (Instant) -> Double) { self.now = now }
    }

    private struct Settings {
        var configuration = LoadShedder.Configuration()
        var observer: (any Observer)?
        var random = RandomSource.system
        var load: Load?
        var seed: UInt64 = 0
    }

    private var name = GateName(registering: "")
    private let settings = Locked(Settings())

    func begin(
        _ label: String, _ configuration: LoadShedder.Configuration, _ observer: (any Observer)?,
        _ random: RandomSource, _ load: @escaping @Sendable (Instant) -> Double
    ) {
        name = GateName(registering: label)
        settings.withLock {
            $0 = Settings(
                configuration: configuration, observer: observer, random: random, load: Load(load), seed: random.next())
        }
    }

    func end() {
        name.release()
        // What the closure holds is let go of when the lock is gone.
        let old = settings.withLock { settings in
            let old = settings
            settings = Settings()
            return old
        }
        withExtendedLifetime(old) {}
    }

    var configuration: LoadShedder.Configuration { settings.withLock { $0.configuration } }

    func update(_ configuration: LoadShedder.Configuration) { settings.withLock { $0.configuration = configuration } }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let criticality = CallContext.criticality(of: call)
        let (band, load) = settings.withLock { ($0.configuration[criticality], $0.load) }
        guard band.from < .infinity, let load = load?.now(now), load > band.from else { return .free(at: now) }
        // The place of the call in the band: it passes while the load has not come to it.
        guard load >= band.to || load >= band.from + (band.to - band.from) * place(of: call, at: now) else {
            return .free(at: now)
        }
        let rejection = Rejection(name, .loadShed, retryAfter: -1)
        let (isShadow, observer) = settings.withLock { ($0.configuration.shadow, $0.observer) }
        guard isShadow else { throw rejection }
        observer?.wouldHaveRejected(rejection)
        return .free(at: now)
    }

    /// From 0 up to 1: the same for a key as long as a rotation lasts, and random for a call without one.
    private func place(of call: Call, at now: Instant) -> Double {
        let (random, seed, rotation) = settings.withLock {
            ($0.random, $0.seed, $0.configuration.rotation.clampedNanoseconds)
        }
        let bits: UInt64
        if var key = call.key {
            let turn = UInt64(bitPattern: now.nanoseconds / rotation)
            bits = key.withUTF8 { spw_hash_bytes($0.baseAddress, $0.count, seed &+ turn) }
        } else {
            bits = random.next()
        }
        return Double(bits >> 11) * 0x1p-53
    }
}
