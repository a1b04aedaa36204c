public import SpillwayCore

/// When to scrape one replica next: often enough to know its load, and never so often that scraping harms it.
///
/// One scrape is under way at a time. An answer that is slow, and one that fails, doubles the rest before the next; each that is
/// well halves it again. After a few timeouts in a row the replica is taken to be wedged by scrapes, and is asked only now and
/// then until it answers. A plain value without a clock: ask ``next(at:)`` what to do, and say what came of it.
public struct ScrapePace: Sendable {
    /// What to do now.
    public enum Step: Sendable, Hashable {
        /// Scrape, and give this number with what comes of it.
        case scrape(UInt64)
        /// Ask again then; an answer may come before.
        case wait(until: Instant)
    }

    /// How the replica takes being scraped.
    public enum Condition: Sendable, Hashable {
        /// At the interval.
        case steady
        /// Answers were slow or failed: less often.
        case backedOff
        /// Nothing was answered: now and then.
        case wedged
    }

    /// How the replica takes being scraped.
    public private(set) var condition = Condition.steady
    /// The rest before the next scrape as it is now, before chance has its part.
    public var rest: Duration { condition == .wedged ? configuration.probeInterval : .nanoseconds(restNanoseconds) }

    private var configuration: Configuration
    private let random: RandomSource
    private var restNanoseconds: Int64
    private var due: Instant
    private var number: UInt64 = 0
    /// When the scrape that is under way began; nil: none is.
    private var started: Instant?
    private var timeouts = 0

    /// A pace whose first scrape comes at a random time within the first interval from `now`.
    ///
    /// - Throws: `ConfigurationError` for a value out of the ranges that ``Configuration`` gives.
    public init(
        _ configuration: Configuration = .init(), at now: Instant, random: RandomSource = .system
    ) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        self.random = random
        restNanoseconds = configuration.interval.clampedNanoseconds
        due = now.advanced(by: .nanoseconds(Int64(random.next(through: UInt64(restNanoseconds)))))
    }

    /// Changes the configuration and keeps the state.
    ///
    /// - Throws: `ConfigurationError` for a value out of range; then nothing is changed.
    public mutating func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        let least = configuration.interval.clampedNanoseconds
        restNanoseconds =
            condition == .steady
            ? least : min(max(restNanoseconds, least), configuration.longest.clampedNanoseconds)
    }

    /// What to do at `now`.
    ///
    /// A scrape that is under way for longer than the timeout counts as timed out here: cancel it when another begins.
    public mutating func next(at now: Instant) -> Step {
        if let started {
            let end = started.advanced(by: configuration.timeout)
            // Should the clock have gone back, the wait is no longer than the timeout.
            guard now >= end || now < started else { return .wait(until: end) }
            if now < started {
                self.started = now
                return .wait(until: now.advanced(by: configuration.timeout))
            }
            timedOut(at: now)
        }
        // The same for a rest: with its chance it is at most half as long again.
        let latest = now.advanced(by: rest + rest / 2)
        if due > latest { due = latest }
        guard now >= due else { return .wait(until: due) }
        number &+= 1
        started = now
        return .scrape(number)
    }

    /// Scrape `number` was answered at `now`; true when that answer counts.
    ///
    /// False for one that comes after its timeout: what it says is older than it seems.
    @discardableResult
    public mutating func answered(_ number: UInt64, at now: Instant) -> Bool {
        guard let taken = end(number, at: now) else { return false }
        timeouts = 0
        let slow = configuration.interval.clampedNanoseconds.part(configuration.slowShare)
        let least = configuration.interval.clampedNanoseconds
        if condition == .wedged {
            // It is alive again, and is not trusted yet.
            restNanoseconds = configuration.longest.clampedNanoseconds
            condition = restNanoseconds > least ? .backedOff : .steady
        } else if taken > slow {
            backOff()
        } else {
            restNanoseconds = max(least, restNanoseconds / 2)
            condition = restNanoseconds > least ? .backedOff : .steady
        }
        plan(after: now)
        return true
    }

    /// Scrape `number` failed at `now`, with an error and not by a timeout; true when that counts.
    ///
    /// Whoever refuses is not wedged, so this ends a row of timeouts; a replica that is taken to be wedged stays so.
    @discardableResult
    public mutating func failed(_ number: UInt64, at now: Instant) -> Bool {
        guard end(number, at: now) != nil else { return false }
        timeouts = 0
        if condition != .wedged { backOff() }
        plan(after: now)
        return true
    }

    /// Ends the scrape of this number; how long it took, nil when it is none that is waited for.
    private mutating func end(_ number: UInt64, at now: Instant) -> Int64? {
        guard let started, number == self.number else { return nil }
        guard now < started.advanced(by: configuration.timeout) else {
            timedOut(at: now)
            return nil
        }
        self.started = nil
        return max(0, started.duration(to: now).clampedNanoseconds)
    }

    private mutating func timedOut(at now: Instant) {
        started = nil
        timeouts = min(timeouts + 1, configuration.wedgedAfter)
        if timeouts == configuration.wedgedAfter { condition = .wedged }
        if condition != .wedged { backOff() }
        plan(after: now)
    }

    private mutating func backOff() {
        restNanoseconds = min(2 * restNanoseconds, configuration.longest.clampedNanoseconds)
        condition = .backedOff
    }

    private mutating func plan(after now: Instant) {
        let rest = rest.clampedNanoseconds, spread = rest.part(configuration.jitter)
        let chance = Int64(random.next(through: UInt64(2 * spread)))
        due = now.advanced(by: .nanoseconds(rest - spread + chance))
    }
}

extension Int64 {
    fileprivate func part(_ share: Double) -> Int64 { Int64(Double(self) * share) }
}
