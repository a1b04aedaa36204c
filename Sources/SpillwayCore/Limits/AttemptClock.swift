/// How the time of one attempt stands against its limits: a pure value, time is an argument.
struct AttemptClock: Sendable {
    private let deadline: Int64
    /// When the whole attempt must have ended; moves with pauses, as all below.
    private var end = Int64.max
    private var contentDue = Int64.max
    private var stallDue = Int64.max
    /// Until when the tokens that came have paid.
    private var paid = Int64.max
    private var pausedAt: Int64?
    private let stall: Int64
    /// Nanoseconds that one token pays for; 0: none need be paid.
    private let price: Double
    private let patience: Int64
    /// When the first content came.
    private(set) var firstContent: Instant?

    init(_ limits: AttemptTimeout?, deadline: Instant?, streams: Bool, at now: Instant) {
        self.deadline = deadline?.nanoseconds ?? .max
        func later(_ duration: Duration?) -> Int64 { duration.map { now.advanced(by: $0).nanoseconds } ?? .max }
        end = later(limits?.whole)
        contentDue = later(streams ? limits?.firstContent : nil)
        stall = (streams ? limits?.stall?.clampedNanoseconds : nil) ?? .max
        price = (streams ? limits?.tokensPerSecond : nil).map { 1e9 / $0 } ?? 0
        patience = limits?.patience.clampedNanoseconds ?? 0
    }

    /// Content came.
    mutating func received(_ tokens: Int, at now: Instant) {
        let now = now.nanoseconds
        if firstContent == nil { firstContent = Instant(nanoseconds: now) }
        contentDue = .max
        stallDue = now.later(stall)
        guard price > 0 else { return }
        // The first content opens the account, full.
        let full = now.later(patience), worth = price * Double(max(tokens, 0))
        paid = paid == .max || worth >= Double(patience) ? full : min(full, paid.later(Int64(worth)))
    }

    /// The attempt waits for its caller: its time stands still.
    mutating func pause(at now: Instant) { pausedAt = pausedAt ?? now.nanoseconds }

    /// The attempt waits no more.
    mutating func resume(at now: Instant) {
        guard let pausedAt else { return }
        let pause = max(0, now.nanoseconds - pausedAt)
        self.pausedAt = nil
        end = end.later(pause)
        contentDue = contentDue.later(pause)
        stallDue = stallDue.later(pause)
        paid = paid.later(pause)
    }

    /// When a limit will be met unless something comes before; nil: never.
    var due: Instant? {
        let due = pausedAt == nil ? min(deadline, end, contentDue, stallDue, paid) : deadline
        return due == .max ? nil : Instant(nanoseconds: due)
    }

    /// The limit that is met at `now`, the deadline first; nil: none.
    func exceeded(at now: Instant) -> TimeLimit? {
        let now = now.nanoseconds
        if now >= deadline { return .deadline }
        if pausedAt != nil { return nil }
        if now >= end { return .attempt }
        if now >= contentDue { return .firstContent }
        if now >= stallDue { return .stall }
        return now >= paid ? .tokenRate : nil
    }
}

extension Int64 {
    /// The sum, stopped at the end.
    fileprivate func later(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
