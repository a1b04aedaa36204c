/// How the time of one attempt stands against its limits: a pure value, time is an argument.
///
/// All but the deadline is kept in the attempt's own time, which stands still while the attempt waits for its caller. Time
/// that goes back stands still, too.
package struct AttemptClock: Sendable {
    private let deadline: Int64
    private let stall: Int64
    /// Nanoseconds that one token pays for; 0: none need be paid.
    private let price: Double
    private let patience: Int64
    /// When the whole attempt must have ended.
    private let end: Int64
    private let began: Int64
    private var contentDue: Int64
    private var stallDue = Int64.max
    /// Until when the tokens that came have paid.
    private var paid = Int64.max
    /// From when on it is to go on elsewhere.
    private var leaveDue = Int64.max
    /// The latest time that was heard of.
    private var present: Int64
    /// How many waits for the caller there are now, when the first of them began, and how long all before them took.
    private var pauses = 0
    private var pausedAt: Int64 = 0
    private var paused: Int64 = 0
    /// When the first content came.
    package private(set) var firstContent: Instant?
    /// When it came in the attempt's own time, and the tokens since then.
    private var opened: Int64 = 0
    private var tokens = 0

    package init(_ limits: AttemptTimeout?, deadline: Instant?, streams: Bool, at now: Instant) {
        let stream = streams ? limits : nil
        func later(_ duration: Duration?) -> Int64 { duration.map { now.advanced(by: $0).nanoseconds } ?? .max }
        self.deadline = deadline?.nanoseconds ?? .max
        present = min(now.nanoseconds, .max - 1)
        end = later(limits?.whole)
        began = present
        contentDue = later(stream?.firstContent)
        stall = stream?.stall?.clampedNanoseconds ?? .max
        price = stream?.tokensPerSecond.map { 1e9 / $0 } ?? 0
        patience = limits?.patience.clampedNanoseconds ?? 0
    }

    /// Content came.
    ///
    /// No tokens, or fewer, are a sign of life that pays for nothing.
    package mutating func received(_ tokens: Int, at now: Instant) {
        let now = own(now)
        if firstContent == nil {
            firstContent = Instant(nanoseconds: present)
            opened = now
        } else {
            let (sum, overflow) = self.tokens.addingReportingOverflow(max(tokens, 0))
            self.tokens = overflow ? .max : sum
        }
        contentDue = .max
        stallDue = now.later(stall)
        guard price > 0 else { return }
        // The first content opens the account, full.
        let full = now.later(patience), worth = price * Double(max(tokens, 0))
        paid = paid == .max || worth >= Double(patience) ? full : min(full, paid.later(Int64(worth)))
    }

    /// The attempt is to go on elsewhere.
    package mutating func leave(at now: Instant) { leaveDue = min(leaveDue, own(now)) }

    /// Whether it is to go on elsewhere.
    package var isLeaving: Bool { leaveDue < .max }

    /// The attempt waits for its caller, maybe not for the first time.
    package mutating func pause(at now: Instant) {
        _ = own(now)
        if pauses == 0 { pausedAt = present }
        pauses += 1
    }

    /// One wait for the caller is over.
    package mutating func resume(at now: Instant) {
        _ = own(now)
        guard pauses > 0 else { return }
        pauses -= 1
        if pauses == 0 { paused = paused.later(present.since(pausedAt)) }
    }

    /// What there is to say of an answer that ended at `now`.
    package mutating func measurements(at now: Instant) -> Measurements {
        let now = own(now)
        guard firstContent != nil else { return Measurements() }
        let flow = now.since(opened)
        return Measurements(
            firstContent: .nanoseconds(opened.since(began)),
            tokensPerSecond: tokens > 0 && flow > 0 ? Double(tokens) * 1e9 / Double(flow) : nil)
    }

    /// Whether an answer that ended at `now` was slower than wanted.
    package mutating func isSlow(_ slow: SlowAnswer, at now: Instant) -> Bool {
        let now = own(now)
        guard firstContent != nil else { return false }
        if let most = slow.firstContent, opened.since(began) > most.clampedNanoseconds { return true }
        guard let least = slow.tokensPerSecond, tokens > 0 else { return false }
        return Double(tokens) * 1e9 < least * Double(now.since(opened))
    }

    /// When a limit will be met unless something comes before; nil: never.
    package var due: Instant? {
        let own = min(min(end, contentDue), min(stallDue, paid), leaveDue)
        let due = pauses > 0 || own == .max ? deadline : min(deadline, own.later(paused))
        return due == .max ? nil : Instant(nanoseconds: due)
    }

    /// The limit that is met at `now`, the deadline first; nil: none.
    package mutating func exceeded(at now: Instant) -> TimeLimit? {
        let now = own(now)
        if present >= deadline { return .deadline }
        // A limit is met when its time has come, not while that stands still.
        if pauses > 0 { return nil }
        if now >= leaveDue { return .handOver }
        if now >= end { return .attempt }
        if now >= contentDue { return .firstContent }
        if now >= stallDue { return .stall }
        return now >= paid ? .tokenRate : nil
    }

    /// The attempt's own time.
    private mutating func own(_ now: Instant) -> Int64 {
        // Below the end, which means never.
        present = max(present, min(now.nanoseconds, .max - 1))
        return (pauses > 0 ? pausedAt : present).since(paused)
    }
}

extension Int64 {
    /// The sum with what is not negative, stopped at the end.
    fileprivate func later(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The difference, stopped at the ends.
    fileprivate func since(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }
}
