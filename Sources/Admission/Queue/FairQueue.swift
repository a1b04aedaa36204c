public import SpillwayCore
internal import Synchronization

/// A bounded line in which calls wait for gates that are full, by criticality and in fair turns among tenants.
///
/// In a policy it stands outside of the gates that calls wait for. A call waits when a gate refuses it that may let it through soon
/// (``waits(for:)``), or when others wait already. Each place that an attempt of the policy frees goes to one call: the one whose turn
/// it is tries the gates, and the next one only when that was let through. Policies that share gates should share the queue, too.
///
/// ```swift
/// let queue = try FairQueue("chat", .init(capacity: 500, longest: .seconds(5)) { $0.weights = ["acme": 3] })
/// let policy = try Policy("chat") { () throws(ConfigurationError) in
///     queue
///     Gates(limit, tokens)
/// }
/// ```
///
/// Whoever waits behind a call that asks for much waits until that is there, so nobody is passed over for ever. Calls that are let
/// through while nobody waits are not charged to their tenant: fair shares are of what is scarce.
public final class FairQueue: Sendable {
    /// What errors, reports and metrics call the queue.
    public let name: String
    let gate: GateName
    let state: Locked<QueueState>
    /// How many wait; read without the lock.
    let waiting = Atomic<Int>(0)
    /// How often a place was freed.
    ///
    /// With `waiting` it sees to it that none is overlooked: whoever frees one counts it and then looks
    /// whether somebody waits; whoever begins to wait says so and then looks whether one was freed.
    let freed = Atomic<UInt64>(0)
    private let counts = Locked(Counts())

    private struct Counts {
        var passed = 0
        var refused: [Reason: Int] = [:]
    }

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: How many wait, for how long, and in what order.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ name: String, _ configuration: Configuration = Configuration()) throws(ConfigurationError) {
        try Validation("FairQueue").name(name)
        try configuration.validate()
        self.name = name
        gate = GateName(registering: name)
        state = Locked(QueueState(configuration))
    }

    deinit { gate.release() }

    /// Whether a call that a gate refused for this reason waits: a place may be freed, or tokens drip in.
    public static func waits(for reason: Reason) -> Bool {
        switch reason {
        case .concurrencyLimited, .rateLimited, .breakerRamping, .breakerProbing: true
        default: false
        }
    }

    /// The configuration in force.
    public var configuration: Configuration { state.withLock { $0.configuration } }

    /// Changes the configuration; calls that wait keep their places, their longest wait and their weight.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        state.withLock { $0.configuration = configuration }
    }

    /// How the queue stands.
    public struct Standing: Sendable, Hashable {
        /// How many calls wait, by criticality.
        public let waiting: [Criticality: Int]
        /// How long the call has waited that has waited longest; zero when none waits.
        public let oldest: Duration
        /// How many calls were let through after a wait.
        public let passed: Int
        /// How many calls were refused, by reason.
        public let refused: [Reason: Int]
    }

    /// How the queue stands at `now`.
    public func standing(at now: Instant) -> Standing {
        let (line, oldest) = state.withLock { ($0.line.counts, $0.line.oldest) }
        let counts = counts.withLock { $0 }
        let waiting = Criticality.allCases.map { ($0, line[Int($0.rawValue)]) }.filter { $0.1 > 0 }
        return Standing(
            waiting: Dictionary(uniqueKeysWithValues: waiting),
            oldest: oldest.map { max(.zero, $0.duration(to: now)) } ?? .zero, passed: counts.passed,
            refused: counts.refused)
    }

    /// How near the line is to its bounds, 1 for at them: a load for a ``LoadShedder``.
    ///
    /// The larger of two shares: how many wait of those who may, and how long the oldest has waited of the longest wait.
    public func pressure(at now: Instant) -> Double {
        let count = waiting.load(ordering: .relaxed)
        guard count > 0 else { return 0 }
        let (oldest, bounds) = state.withLock { ($0.line.oldest, $0.configuration) }
        let age = oldest.map { max(.zero, $0.duration(to: now)) / bounds.longest } ?? 0
        return max(age, Double(count) / Double(bounds.capacity))
    }

    func note(_ ending: Ending) {
        counts.withLock { counts in
            switch ending {
            case .letThrough: counts.passed += 1
            case .refused(let rejection), .dropped(let rejection): counts.refused[rejection.reason, default: 0] += 1
            case .late: counts.refused[.deadlineExceeded, default: 0] += 1
            case .cancelled: counts.refused[.cancelled, default: 0] += 1
            }
        }
    }
}
