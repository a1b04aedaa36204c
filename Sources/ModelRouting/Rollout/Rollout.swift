internal import CSpillway
public import SpillwayCore

/// Lets a share of the calls try something new, such as another model, and takes it back by itself when it is worse.
///
/// A call with a key (a tenant, a session) gets the same of the two each time: its hash decides, so a larger share only adds
/// keys, here, in other processes and after a restart. A call without one is left to chance. What is recorded of both is
/// compared by a test that is valid at any time (see ``Evidence``): by errors, the time to the first content, cost and
/// quality, each with a tolerance, and the chance that a new one within them is ever rolled back is ``Configuration/falseAlarm``
/// at most. It compares calls of the same time with each other, and takes no distribution for granted.
///
/// What chance shares out must be alike, though: where a few keys make most of the calls and differ from each other, the
/// keys differ and not the models. Then let chance share out calls (no key), or compare by what does not depend on the key.
/// Each process decides by what it sees.
///
/// With a share of a half both are compared as in a blue-green deployment; ``promote(at:)`` ends it.
public final class Rollout: Sendable {
    private static let lives = Locked<UInt64>(0)

    /// What errors, reports and metrics call the rollout.
    public let name: String
    // Read by an atomic load, written under the lock.
    private nonisolated(unsafe) let words = UnsafeMutablePointer<spw_rollout>.allocate(capacity: 1)
    private nonisolated(unsafe) let lock = UnsafeMutablePointer<spw_lock>.allocate(capacity: 1)
    private nonisolated(unsafe) let books = UnsafeMutablePointer<RolloutBooks>.allocate(capacity: 1)
    private let seed: UInt64
    private let random: RandomSource
    private let observer: (any Observer)?
    private let decided: (@Sendable (Decision) -> Void)?

    /// A rollout that runs.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes. Which keys get the new one depends on it, so that not the same ones try everything.
    ///   - configuration: The share, and how much worse it may be.
    ///   - observer: Told of every change of state, in order and outside of every lock; nobody by default.
    ///   - random: Where calls without a key are left to chance; the system by default.
    ///   - decided: Told of every decision with its evidence, in order and outside of every lock; nobody by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration, observer: (any Observer)? = nil, random: RandomSource = .system,
        decided: (@Sendable (Decision) -> Void)? = nil
    ) throws(ConfigurationError) {
        try Validation("Rollout").name(name)
        try configuration.validate()
        self.name = name
        self.observer = observer
        self.random = random
        self.decided = decided
        seed = Self.hash(name, seed: 0)
        words.initialize(to: spw_rollout())
        lock.initialize(to: 0)
        books.initialize(to: RolloutBooks(configuration))
        list(configuration)
        publish()
    }

    deinit {
        spw_rollout_destroy(words)
        books.pointee.deallocate()
        books.deinitialize(count: 1)
        books.deallocate()
        lock.deallocate()
        words.deallocate()
    }

    /// Which of the two the call gets: by its key, or by chance when it has none.
    public func arm(for call: Call) -> Arm {
        if let key = call.key { arm(for: key) } else { arm() }
    }

    /// Which of the two the calls of `key` get.
    public func arm(for key: String) -> Arm {
        Arm(bits: spw_rollout_arm(words, Self.hash(key, seed: seed), true))
    }

    /// Which of the two a call gets that is nobody's in particular: chance decides.
    public func arm() -> Arm {
        Arm(bits: spw_rollout_arm(words, random.next(), false))
    }

    /// Takes note of how a call went; call it once for each, also for the baseline's.
    ///
    /// What was given before a rollback, a reset or a change of the share counts for nothing, nor do calls of keys that always
    /// get the new one. `Arm.baseline` and `Arm.canary` themselves count as given now.
    ///
    /// - Parameters:
    ///   - arm: What ``arm(for:)-(Call)`` gave.
    ///   - sample: How it went.
    ///   - now: When it ended.
    /// - Returns: Whether it counts.
    @discardableResult
    public func record(_ arm: Arm, _ sample: Sample, at now: Instant) -> Bool {
        guard !arm.isListed else { return false }
        let isOver = withLock { () -> Bool? in
            guard arm.life == 0 || arm.life == spw_rollout_life(words), books.pointee.state == .running else {
                return nil
            }
            guard books.pointee.record(arm.isCanary, sample, at: now) else { return !books.pointee.pending.isEmpty }
            publish()
            return true
        }
        guard let isOver else { return false }
        if isOver { deliver() }
        return true
    }

    /// What the rollout is doing.
    public var state: State { withLock { books.pointee.state } }

    /// The share of calls that get the new one, those of listed keys aside: 0 after a rollback, 1 when it was promoted.
    public var share: Double {
        withLock {
            switch books.pointee.state {
            case .running: books.pointee.share
            case .rolledBack: 0
            case .promoted: 1
            }
        }
    }

    /// How both compare by `metric`; nil when they are not compared by it.
    ///
    /// After a rollback: as it was then.
    public func evidence(_ metric: Metric, at now: Instant) -> Evidence? {
        withLock { books.pointee.evidence(metric, at: now) }
    }

    /// The last 64 decisions, the oldest first.
    public var decisions: [Decision] { withLock { books.pointee.decisions } }

    /// The configuration in force.
    public var configuration: Configuration { withLock { books.pointee.configuration } }

    /// Changes the configuration and keeps the state, and the evidence unless a tolerance or the chance of a false alarm is another.
    ///
    /// Another share or ramp begins at its share. Calls that are under way are not counted.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        withLock {
            books.pointee.update(configuration)
            list(configuration)
            publish()
        }
    }

    /// Gives all calls the baseline from now on.
    public func rollBack(at now: Instant) { decide(.rollBack, at: now) }

    /// Gives all calls the new one from now on.
    public func promote(at now: Instant) { decide(.promote, at: now) }

    /// Begins again with the share of the configuration, and with no evidence.
    public func reset(at now: Instant) { decide(.reset, at: now) }

    private func decide(_ kind: Decision.Kind, at now: Instant) {
        withLock {
            books.pointee.decide(kind, at: now)
            publish()
        }
        deliver()
    }

    /// Begins a life and tells calls of it; the lock is held.
    ///
    /// Lives are numbered for all rollouts together, so that what one gave counts in no other.
    private func publish() {
        let life = Self.lives.withLock { lives in
            // Never 0, and in 30 bits.
            lives = lives % ((1 << 30) - 1) + 1
            return lives
        }
        spw_rollout_publish(words, life, books.pointee.word, books.pointee.lists)
    }

    private func list(_ configuration: Configuration) {
        let hashes = configuration.always.map { Self.hash($0, seed: seed) }
        spw_rollout_list(words, hashes, hashes.count)
    }

    /// One caller at a time delivers, in order; an observer that causes another decision adds to the same queue.
    private func deliver() {
        let isOurs = withLock { () -> Bool in
            guard !books.pointee.isDelivering else { return false }
            books.pointee.isDelivering = true
            return true
        }
        guard isOurs else { return }
        while true {
            let next = withLock { () -> (decision: Decision, from: State, to: State)? in
                let next = books.pointee.takePending()
                if next == nil { books.pointee.isDelivering = false }
                return next
            }
            guard let next else { return }
            if next.from.description != next.to.description {
                observer?.changed(
                    Transition(gate: name, from: "\(next.from)", to: "\(next.to)", at: next.decision.at))
            }
            decided?(next.decision)
        }
    }

    private static func hash(_ key: String, seed: UInt64) -> UInt64 {
        var key = key
        return key.withUTF8 { spw_hash_bytes($0.baseAddress, $0.count, seed) }
    }

    /// Runs `body` alone; nothing waits in it, and no user code runs.
    @inline(__always)
    private func withLock<Result>(_ body: () -> Result) -> Result {
        spw_lock_acquire(lock)
        defer { spw_lock_release(lock) }
        return body()
    }
}
