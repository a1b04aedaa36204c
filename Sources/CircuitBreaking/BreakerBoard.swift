public import SpillwayCore

/// Lets processes that ask the same targets warn each other: what enough of them have found open, opens in the others too.
///
/// A process that asks a target seldom needs long to see that it fails. So when at least
/// ``Configuration/quorum`` other processes report a breaker open, the one of that name opens here as well, for the longest
/// time that one of them has left, but not beyond its own longest open time, and with its own jitter. Its own probes close
/// it, as always. These rules keep a fleet from talking itself into an outage:
///
/// - A process reports what it saw itself: calls that failed, or probes. A breaker that has opened on the word of others is
///   not reported, nor one that was isolated by hand, nor one in shadow mode.
/// - A breaker that was found well, by its probes or by hand, opens only by trouble that others saw begin after that: nobody
///   is shut out again by an answer that comes late, or by those who have not probed yet. Times are compared as "how long
///   ago", so clocks need not agree; the time that a message takes is what they may be wrong by.
/// - A breaker's ``BreakerGroup`` must have a place for it. One in shadow mode follows, and lets every call pass. One that is
///   isolated, disabled or half-open does not follow.
/// - While the store is away each process goes on with what it sees itself. What makes no sense in an answer is left out.
///
/// ``run()`` talks to the store. It says and asks everything in one exchange, every ``Configuration/interval``, whether or not
/// a breaker is open; and at once when one of its own changes its state, but never more than ten times in an interval. So
/// others learn of it an interval later at the latest.
public final class BreakerBoard: Sendable {
    /// How many processes are believed, and how often they talk.
    public struct Configuration: Sendable, Hashable {
        /// How many other processes must report a breaker open, from 1 to 1,000,000; 2 by default.
        public var quorum: Int
        /// How often the store is asked while nothing happens, from 10 ms to an hour; 1 s by default, and up to a tenth more
        /// at random.
        public var interval: Duration
        /// How long the word of a process is believed that says no more, from twice the interval to a day; 3 s by default.
        public var life: Duration

        /// How many processes are believed, and how often they talk.
        public init(quorum: Int = 2, interval: Duration = .seconds(1), life: Duration = .seconds(3)) {
            self.quorum = quorum
            self.interval = interval
            self.life = life
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("BreakerBoard")
            try check.count(quorum, "quorum", in: 1...1_000_000)
            try check.require(
                interval >= .milliseconds(10) && interval <= .seconds(3_600), "interval", interval,
                "from 10 ms to an hour")
            try check.require(
                life >= interval * 2 && life <= .seconds(86_400), "life", life, "from twice the interval to a day")
        }
    }

    private struct Member {
        weak var breaker: CircuitBreaker?
    }

    private struct Guarded {
        var configuration: Configuration
        var members: [String: Member] = [:]
        var isRunning = false
        var isStoreAway = true
        /// Whether the store may still believe something.
        var hasTold = false
    }

    /// What processes call the board; those that give it the same name share it.
    public let name: String
    private let store: any BreakerBoardStore
    private let time: any TimeSource
    private let random: RandomSource
    private let process: UInt64
    private let bell = Doorbell()
    private let guarded: Locked<Guarded>

    /// A board without breakers.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes, the same in all processes.
    ///   - configuration: How many processes are believed, and how often they talk.
    ///   - store: Where they talk.
    ///   - time: The clock of those who ask the breakers; the system's by default.
    ///   - random: Where the number of this process and the jitter come from; the system by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), store: any BreakerBoardStore,
        time: any TimeSource = .system, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try Validation("BreakerBoard").name(name)
        try configuration.validate()
        self.name = name
        self.store = store
        self.time = time
        self.random = random
        process = random.next()
        guarded = Locked(Guarded(configuration: configuration))
    }

    /// Puts a breaker on the board, under its name; it leaves when it goes away, for the board does not keep it.
    ///
    /// - Throws: `ConfigurationError` when it is on another board, or this one has another breaker of that name.
    public func add(_ breaker: CircuitBreaker) throws(ConfigurationError) {
        let check = Validation("BreakerBoard"), name = breaker.name
        let isNew = guarded.withLock { guarded in
            if let old = guarded.members[name]?.breaker, old !== breaker { return false }
            guarded.members[name] = Member(breaker: breaker)
            return true
        }
        try check.require(isNew, "breaker", "'\(name)'", "of a name that no other breaker on the board has")
        guard !breaker.breaker.attach(bell) else { return }
        guarded.withLock { _ = $0.members.removeValue(forKey: name) }
        try check.require(false, "breaker", "'\(name)'", "on no other board")
    }

    /// The configuration in force.
    public var configuration: Configuration { guarded.withLock { $0.configuration } }

    /// Changes the configuration; it holds from the next exchange.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        guarded.withLock { $0.configuration = configuration }
    }

    /// Whether the store did not answer when it was last asked, or was not asked yet, or ``run()`` does not run.
    public var isStoreAway: Bool { guarded.withLock { $0.isStoreAway } }

    /// Talks to the store until the task is cancelled, and then takes back what it said.
    ///
    /// It has the shape of a service of swift-service-lifecycle.
    ///
    /// - Throws: `ConfigurationError` when it runs already.
    public func run() async throws {
        let starts = guarded.withLock { guarded in
            defer { guarded.isRunning = true }
            return !guarded.isRunning
        }
        try Validation("BreakerBoard").require(starts, "run", "running", "called once at a time")
        defer {
            guarded.withLock { guarded in
                guarded.isRunning = false
                guarded.isStoreAway = true
            }
        }
        while !Task.isCancelled {
            let asked = time.now
            await exchange(at: asked)
            let interval = configuration.interval, spread = UInt64(interval.clampedNanoseconds / 10)
            let pause = interval + .nanoseconds(Int64(random.next(through: spread)))
            try? await time.sleep(for: interval / 10)
            await bell.wait(until: asked.advanced(by: pause), time)
        }
        guard guarded.withLock({ $0.hasTold }) else { return }
        let report = BreakerReport(board: name, process: process, life: configuration.life, open: [])
        // Not cancelled with this one: it ends soon by itself.
        let store = store
        let said = await ChildTask.start(on: TaskExecutorPreference.current) { try? await store.exchange(report) }.value
        if said != nil { guarded.withLock { $0.hasTold = false } }
    }

    private func exchange(at asked: Instant) async {
        let breakers = breakers
        let open = breakers.values.compactMap { breaker in
            breaker.breaker.sighting(at: asked).map {
                BreakerSighting(breaker: breaker.name, process: process, since: $0.since, left: $0.left)
            }
        }
        if !open.isEmpty { guarded.withLock { $0.hasTold = true } }
        let report = BreakerReport(board: name, process: process, life: configuration.life, open: open)
        let answer = try? await store.exchange(report)
        guarded.withLock { guarded in
            guarded.isStoreAway = answer == nil
            if answer != nil, open.isEmpty { guarded.hasTold = false }
        }
        guard let answer else { return }
        let quorum = configuration.quorum, now = time.now
        for (name, others) in sorted(answer) where others.count >= quorum {
            breakers[name]?.breaker.follow(others, quorum: quorum, asked: asked, at: now)
        }
    }

    /// The breakers that are still there.
    private var breakers: [String: CircuitBreaker] {
        guarded.withLock { guarded in
            let breakers = guarded.members.compactMapValues(\.breaker)
            if breakers.count < guarded.members.count {
                guarded.members = guarded.members.filter { breakers[$0.key] != nil }
            }
            return breakers
        }
    }

    /// By breaker what others have said, each process once, without what makes no sense and this one's own echo.
    private func sorted(_ answer: [BreakerSighting]) -> [String: [BreakerSighting]] {
        var known: [String: Set<UInt64>] = [:], sorted: [String: [BreakerSighting]] = [:]
        for one in answer where one.process != process && one.left > .zero && one.since >= .zero {
            guard known[one.breaker, default: []].insert(one.process).inserted else { continue }
            sorted[one.breaker, default: []].append(one)
        }
        return sorted
    }
}
