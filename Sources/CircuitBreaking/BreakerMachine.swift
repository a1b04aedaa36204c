private import CSpillway
internal import SpillwayCore

/// The breaker's rare decisions as a pure value: it takes the time and gives back what changed.
///
/// The caller holds a lock around it, publishes its path for the lock-free reader, and reports the change after the
/// lock is gone.
struct BreakerMachine {
    typealias State = CircuitBreaker.State

    enum Decision {
        case admit
        /// Admitted, and what comes of it counts for nothing.
        case admitUncounted
        case probe(UInt32)
        case reject(Reason, retryAfter: Int64)
    }

    var configuration: CircuitBreaker.Configuration
    private(set) var state = State.closed
    /// Changes with every transition, and never comes back.
    private(set) var generation: UInt64
    /// Nanoseconds; meaningful while open.
    private(set) var openedAt: Int64 = 0
    private(set) var openFor: Int64 = 0

    /// How often in a row the breaker has opened without staying closed since.
    private var openings = 0
    private var closedAt: Int64?
    /// When it closed last, by its probes or by hand; nil: it has not been open.
    private var provenAt: Int64?
    /// When the trouble began for which it is open; a failed probe does not begin another one.
    private var troubledAt: Int64 = 0
    /// Whether it is open on the word of others alone.
    private var isFollowing = false
    private var rampUntil: Int64?
    private var rampCredit = 0.0
    private var leases: [(number: UInt32, until: Int64)] = []
    private var lastProbe: UInt32 = 0
    private var successes = 0
    private var failures = 0

    init(_ configuration: CircuitBreaker.Configuration, generation: UInt64) {
        self.configuration = configuration
        self.generation = generation
    }

    /// Which way a reader without the lock takes.
    var path: UInt64 {
        switch state {
        case .closed where rampUntil != nil: UInt64(SPW_PATH_SLOW)
        case .closed: UInt64(configuration.stuck == nil ? SPW_PATH_CLOSED : SPW_PATH_WATCH)
        case .open, .isolated: UInt64(SPW_PATH_OPEN)
        case .halfOpen, .disabled: UInt64(SPW_PATH_SLOW)
        }
    }

    /// Decides what a reader without the lock could not.
    mutating func admit(at now: Int64) -> Decision {
        switch state {
        case .disabled: return .admitUncounted
        case .isolated: return .reject(.breakerIsolated, retryAfter: -1)
        case .closed: return ramping(at: now)
        case .open:
            if now < openedAt { openedAt = now }  // the clock went back: wait no longer than was meant
            let left = openFor &- (now &- openedAt)
            guard left <= 0 else { return .reject(.breakerOpen, retryAfter: left) }
            change(to: .halfOpen)
            fallthrough
        case .halfOpen:
            expireLeases(at: now)
            guard state == .halfOpen else { return .reject(.breakerOpen, retryAfter: openFor) }
            guard leases.count + successes + failures < configuration.probes else {
                return .reject(.breakerProbing, retryAfter: -1)
            }
            lastProbe = lastProbe == .max ? 1 : lastProbe + 1
            leases.append((lastProbe, now.adding(configuration.probeLease)))
            return .probe(lastProbe)
        }
    }

    /// Opens because the window of `generation` says so, or the calls under way in it, if others leave it a place.
    mutating func trip(_ generation: UInt64, at now: Int64, if mayOpen: () -> Bool) {
        guard generation == self.generation, state == .closed, configuration.mode == .shadow || mayOpen() else {
            return
        }
        open(at: now)
    }

    /// Opens because enough others say so, who have seen it fail since this one was last found well.
    ///
    /// What they said to a question that was asked at `asked` they saw before, by a time that nobody knows: so that whoever
    /// has closed since then opens by none of it.
    mutating func follow(
        _ others: [BreakerSighting], quorum: Int, asked: Int64, at now: Int64, if mayOpen: () -> Bool
    ) {
        guard state == .closed else { return }
        var count = 0, left: Int64 = 0
        for other in others {
            if let provenAt, asked &- provenAt <= other.since.clampedNanoseconds { continue }
            count += 1
            left = max(left, other.left.clampedNanoseconds)
        }
        guard count >= quorum, left > 0, configuration.mode == .shadow || mayOpen() else { return }
        forgetOldTrouble(at: now)
        isFollowing = true
        stayOpen(for: Double(left), at: now)
    }

    /// What others are to be told at `now`: that it is open by what was seen here, and lets it be felt.
    func sighting(at now: Int64) -> (since: Duration, left: Duration)? {
        guard state == .open, !isFollowing, configuration.mode == .enforcing else { return nil }
        let left = openFor &- max(0, now &- openedAt)
        return left > 0 ? (.nanoseconds(max(0, now &- troubledAt)), .nanoseconds(left)) : nil
    }

    /// Counts a probe's result; nil when it said nothing, so that its place is free again.
    mutating func settle(probe number: UInt32, _ generation: UInt64, success: Bool?, at now: Int64) {
        guard generation == self.generation, state == .halfOpen,
            let index = leases.firstIndex(where: { $0.number == number })
        else { return }
        leases.remove(at: index)
        switch success {
        case true?: successes += 1
        case false?: failures += 1
        case nil: return
        }
        judge(at: now)
    }

    /// Puts the breaker into a state by hand.
    mutating func force(_ forced: State, at now: Int64) {
        if forced == .closed {
            openings = 0
            provenAt = now
        }
        closedAt = nil
        rampUntil = nil
        change(to: forced)
        if forced == .isolated {
            openedAt = .min
            openFor = .max
        }
    }

    /// Ends the open time, so that the next call probes.
    mutating func probe(at now: Int64) {
        guard state == .open else { return }
        openedAt = now
        openFor = 0
    }

    /// Starts a new generation in the same state, because the window is about to be another one, or the rule for probes.
    mutating func renew() {
        generation += 1
        leases = []
        successes = 0
        failures = 0
    }

    private mutating func ramping(at now: Int64) -> Decision {
        guard let end = rampUntil, let start = closedAt, now < end else {
            rampUntil = nil
            return .admit
        }
        let span = Double(end &- start)
        let share = configuration.rampFrom + (1 - configuration.rampFrom) * max(0, Double(now &- start)) / span
        // Error diffusion: exactly the share is let in, evenly, and without a random number.
        rampCredit += share
        guard rampCredit >= 1 else { return .reject(.breakerRamping, retryAfter: -1) }
        rampCredit -= 1
        return .admit
    }

    /// A probe whose lease is over has not answered in time: that is a failure.
    private mutating func expireLeases(at now: Int64) {
        let held = leases.count
        leases.removeAll { $0.until <= now }
        failures += held - leases.count
        if held != leases.count { judge(at: now) }
    }

    private mutating func judge(at now: Int64) {
        let needed = max(1, Int((Double(configuration.probes) * configuration.probeSuccessRatio).rounded(.up)))
        if successes >= needed {
            change(to: .closed)
            closedAt = now
            provenAt = now
            rampUntil = configuration.ramp > .zero ? now.adding(configuration.ramp) : nil
            rampCredit = 1
        } else if failures > configuration.probes - needed {
            open(at: now)
        }
    }

    /// Long enough closed: the trouble before was another one.
    private mutating func forgetOldTrouble(at now: Int64) {
        if state == .closed, let closedAt, now &- closedAt > configuration.maximumOpenDuration.clampedNanoseconds {
            openings = 0
        }
    }

    private mutating func open(at now: Int64) {
        forgetOldTrouble(at: now)
        if state == .closed || isFollowing { troubledAt = now }
        isFollowing = false
        let base = Double(configuration.openDuration.clampedNanoseconds)
        let most = Double(configuration.maximumOpenDuration.clampedNanoseconds)
        var length = base
        for _ in 0..<min(openings, 64) where length < most { length *= configuration.openGrowth }
        openings += 1
        stayOpen(for: length, at: now)
    }

    /// Opens for `nanoseconds`, or the longest open time, and what jitter adds.
    private mutating func stayOpen(for nanoseconds: Double, at now: Int64) {
        let length = min(nanoseconds, Double(configuration.maximumOpenDuration.clampedNanoseconds))
        let spread = UInt64(length * configuration.openJitter)
        openedAt = now
        openFor = Int64(length) + Int64(random.next(through: spread))
        change(to: .open)
    }

    /// Where the jitter comes from.
    var random = RandomSource.system

    private mutating func change(to next: State) {
        state = next
        generation += 1
        leases = []
        successes = 0
        failures = 0
        if next != .closed { rampUntil = nil }
        if next != .open && next != .halfOpen { isFollowing = false }
    }
}

extension Int64 {
    fileprivate func adding(_ duration: Duration) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(duration.clampedNanoseconds)
        return overflow ? .max : sum
    }
}
