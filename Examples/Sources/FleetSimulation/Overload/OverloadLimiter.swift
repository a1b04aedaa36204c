import Spillway

/// What decides at one replica whether a call may come in.
protocol OverloadLimiter: AnyObject {
    /// Lets a call in, or not.
    func admit(at now: Instant) -> OverloadTicket?
    /// A call that was let in has ended.
    func settle(_ ticket: OverloadTicket, _ end: OverloadEnd, at now: Instant)
}

/// A call that was let in.
struct OverloadTicket {
    let at: Instant
    /// Calls in flight at its replica, with itself.
    let inFlight: Int
    var permit: RawPermit?
}

/// How it ended.
struct OverloadEnd {
    let outcome: Outcome
    let measured: Measurements
}

/// The production gate.
final class SpillwayLimiter: OverloadLimiter {
    private let gate: ConcurrencyLimit

    init(_ configuration: ConcurrencyLimit.Configuration) throws {
        gate = try ConcurrencyLimit("replica", configuration)
    }

    func admit(at now: Instant) -> OverloadTicket? {
        guard let permit = try? gate.admit(Call(streams: true), at: now) else { return nil }
        return OverloadTicket(at: now, inFlight: gate.inFlight, permit: permit.take())
    }

    func settle(_ ticket: OverloadTicket, _ end: OverloadEnd, at now: Instant) {
        ticket.permit?.settle(end.outcome, end.measured, at: now)
    }

    var limit: Int { gate.limit }
}

/// Lets everything in.
final class NoLimiter: OverloadLimiter {
    func admit(at now: Instant) -> OverloadTicket? { OverloadTicket(at: now, inFlight: 0) }
    func settle(_ ticket: OverloadTicket, _ end: OverloadEnd, at now: Instant) {}
}
