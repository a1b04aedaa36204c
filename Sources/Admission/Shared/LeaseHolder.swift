internal import CSpillway
internal import SpillwayCore

/// What one process asks the store and when: the pure core of ``SharedLimit/run()``.
///
/// One request is under way at a time, and it is sent again, as it was, until it is answered: so whatever gets lost, its
/// effect counts once. After a third of a life without an answer it is given up; what it may have brought counts as spent.
struct LeaseHolder {
    enum Step: Equatable {
        case ask(LeaseRequest)
        /// To be ended early by a wish, or by nothing.
        case wait(until: Instant?, forWish: Bool)
    }

    private static let memory = Duration.milliseconds(200)
    private static let shortestSpan = Duration.milliseconds(10)
    private static let longestPause = Duration.seconds(1)
    private static let firstRetry = Duration.milliseconds(50)
    private static let longestRetry = Duration.seconds(2)

    private let slice: UnsafeMutablePointer<spw_slice>
    private let key: String
    private let id: UInt64
    private let random: RandomSource

    private var number: Int64 = 0
    private var era = ""
    private var window: Int64 = -1
    private var windowEnd: Instant?
    /// All units that were given, less those that were returned or dropped: what was spent is this less what is left.
    private var acquired: Int64 = 0
    private(set) var pending: (request: LeaseRequest, sentAt: Instant)?
    private var pausedUntil: Instant
    private var renewAt: Instant?
    private var failures = 0
    private var dryPauses = 0

    /// Units a nanosecond, of late.
    private var use = 0.0
    private var seenAt: Instant
    private var seenSpent: Int64 = 0

    /// A holder that will say at once that it is there.
    init(_ slice: UnsafeMutablePointer<spw_slice>, key: String, random: RandomSource, at now: Instant) {
        self.slice = slice
        self.key = key
        self.random = random
        id = random.next()
        pausedUntil = now
        seenAt = now
        renewAt = now
    }

    /// What to do at `now`.
    mutating func next(_ configuration: SharedLimit.Configuration, at now: Instant) -> Step {
        if let pending {
            if pending.sentAt.duration(to: now) < configuration.life / 3 {
                if now < pausedUntil { return .wait(until: pausedUntil, forWish: false) }
                spw_slice_set_asked(slice, now.nanoseconds)
                return .ask(pending.request)
            }
            self.pending = nil
        }
        expire(at: now)
        if now < pausedUntil { return .wait(until: pausedUntil, forWish: false) }
        let isWished = spw_slice_listen(slice), isDue = renewAt.map { $0 <= now } ?? false
        if isWished || isDue {
            spw_slice_set_told(slice)
            if let request = plan(configuration, isDue: isDue, at: now) {
                pending = (request, now)
                spw_slice_set_asked(slice, now.nanoseconds)
                return .ask(request)
            }
            // Nothing to ask for; what made it look is served.
            if spw_slice_listen(slice) {
                pausedUntil = now.advanced(by: .milliseconds(1))
                return .wait(until: pausedUntil, forWish: false)
            }
        }
        return .wait(until: renewAt, forWish: true)
    }

    /// Drops what may not be spent any more; the store takes it back by itself.
    private mutating func expire(at now: Instant) {
        let expires = spw_slice_expires(slice)
        if expires != .min, expires <= now.nanoseconds { acquired &-= spw_slice_replace(slice, 0, .min) }
        if let windowEnd, windowEnd <= now { self.windowEnd = nil }
    }

    private mutating func plan(
        _ configuration: SharedLimit.Configuration, isDue: Bool, at now: Instant
    ) -> LeaseRequest? {
        let isIdle = measure(at: now)
        let need = min(spw_slice_take_need(slice), configuration.most)
        let reserve = use * Double(configuration.cover.clampedNanoseconds)
        let wished = Int64(min(reserve, Double(configuration.most)).rounded(.up))
        let target = isDue && isIdle && need == 0 ? 0 : max(wished, need)
        spw_slice_set_mark(slice, target / 2)
        var returned: Int64 = 0
        if isDue {
            let surplus = spw_slice_units(slice) - (target == 0 ? 0 : 2 * target)
            if surplus > 0 { returned = spw_slice_give(slice, surplus) }
            acquired &-= returned
        }
        let units = spw_slice_units(slice), isAmount = configuration.isAmount
        let want = max(0, target - units), isKnown = !era.isEmpty
        let unleased = isAmount ? 0 : spw_slice_take_unleased(slice)
        // Whoever holds units renews them; who has spent some of an amount tells it again and again, for a store that forgets.
        let hasSpent = isAmount && windowEnd != nil && acquired != units
        guard want > 0 || returned > 0 || unleased > 0 || !isKnown || (isDue && (units > 0 || hasSpent)) else {
            renewAt = units > 0 || hasSpent ? now.advanced(by: configuration.renewal) : nil
            return nil
        }
        number += 1
        return LeaseRequest(
            key: key, limit: configuration.limit, holder: id, number: number, era: era, life: configuration.life,
            want: want, need: min(want, max(0, need - units)), returned: isAmount ? 0 : returned, unleased: unleased,
            window: isAmount ? window : -1, spent: isAmount ? acquired &- units : 0, held: isAmount ? units : 0)
    }

    /// Learns how fast units are spent, and would be; returns whether nobody spends any.
    private mutating func measure(at now: Instant) -> Bool {
        let spent = acquired &- spw_slice_units(slice), missed = spw_slice_take_missed(slice)
        let wished = max(0, spent &- seenSpent) &+ missed
        let span = Double(max(seenAt.duration(to: now), Self.shortestSpan).clampedNanoseconds)
        use += (Double(wished) / span - use) * span / (span + Double(Self.memory.clampedNanoseconds))
        (seenAt, seenSpent) = (now, spent)
        return wished == 0
    }

    /// Takes over what the store gave.
    mutating func received(_ reply: LeaseReply, _ configuration: SharedLimit.Configuration, at now: Instant) {
        guard let (request, sentAt) = pending else { return }
        pending = nil
        spw_slice_set_asked(slice, .max)
        failures = 0
        renewAt = now.advanced(by: configuration.renewal)
        era = reply.era
        guard !reply.isStale else { return }
        var expires = sentAt.advanced(by: request.life - request.life / 50)
        if request.limit.isAmount {
            let end = sentAt.advanced(by: reply.windowEndsIn)
            expires = min(expires, end)
            windowEnd = end
            spw_slice_set_rest(slice, reply.unspent, end.nanoseconds)
        }
        if request.limit.isAmount, reply.window != window {
            window = reply.window
            _ = spw_slice_replace(slice, reply.granted, expires.nanoseconds)
            (acquired, seenSpent) = (reply.granted, 0)
        } else if request.limit.isAmount, reply.isLapsed {
            acquired = acquired &+ reply.granted &- spw_slice_replace(slice, reply.granted, expires.nanoseconds)
        } else {
            acquired &+= reply.granted
            spw_slice_extend(slice, reply.granted, expires.nanoseconds)
        }
        pause(request, reply, at: now)
    }

    /// Who got all it wanted may ask again at once; others wait, by and by all as long, so that each gets its share.
    private mutating func pause(_ request: LeaseRequest, _ reply: LeaseReply, at now: Instant) {
        guard reply.granted < request.want else {
            dryPauses = 0
            return again(at: now.advanced(by: .milliseconds(1)))
        }
        let pause: Duration
        switch request.limit {
        case .rate(let rate, let burst):
            let fill = Duration.nanoseconds(Int64(Double(rate.span.clampedNanoseconds) * Double(burst) / rate.units))
            let short = min(max(fill / 4, .milliseconds(5)), .milliseconds(40))
            pause = max(short, min(reply.wait, Self.longestPause))
        case .amount:
            dryPauses = reply.granted > 0 ? 0 : min(dryPauses + 1, 5)
            pause = min(.milliseconds(20) * (1 << dryPauses), Self.longestPause)
        }
        again(at: now.advanced(by: spread(pause, from: 0.75, to: 1.25)))
        // A store that was started anew is told until then what was spent, but gives nothing.
        if request.limit.isAmount, reply.wait > pause {
            spw_slice_set_again(slice, now.advanced(by: reply.wait).nanoseconds)
        }
    }

    private mutating func again(at instant: Instant) {
        pausedUntil = instant
        spw_slice_set_again(slice, instant.nanoseconds)
    }

    /// The store did not answer: it is asked the same again, after a while that is another in each process.
    mutating func failed(_ configuration: SharedLimit.Configuration, at now: Instant) {
        let longest = min(Self.longestRetry, configuration.life / 6)
        var pause = Self.firstRetry
        for _ in 0..<min(failures, 20) where pause < longest { pause *= 2 }
        failures += 1
        spw_slice_set_asked(slice, .max)
        again(at: now.advanced(by: spread(min(pause, longest), from: 0.5, to: 1)))
    }

    private func spread(_ duration: Duration, from low: Double, to high: Double) -> Duration {
        let part = Double(random.next(through: 1 << 20)) / Double(1 << 20)
        return .nanoseconds(Int64(Double(duration.clampedNanoseconds) * (low + (high - low) * part)))
    }

    /// The last request: gives back all that is left; nil when there is nothing to say.
    mutating func last(_ configuration: SharedLimit.Configuration, at now: Instant) -> LeaseRequest? {
        let isValid = now.nanoseconds < spw_slice_expires(slice)
        let left = spw_slice_replace(slice, 0, .min)
        acquired &-= left
        let unleased = spw_slice_take_unleased(slice), isAmount = configuration.isAmount
        let returned = isValid && !isAmount ? left : 0
        guard !era.isEmpty, isAmount ? windowEnd != nil : returned + unleased > 0 else { return nil }
        number += 1
        return LeaseRequest(
            key: key, limit: configuration.limit, holder: id, number: number, era: era, life: configuration.life,
            want: 0, need: 0, returned: returned, unleased: isAmount ? 0 : unleased, window: isAmount ? window : -1,
            spent: isAmount ? acquired &- spw_slice_units(slice) : 0, held: isAmount ? spw_slice_units(slice) : 0)
    }
}
