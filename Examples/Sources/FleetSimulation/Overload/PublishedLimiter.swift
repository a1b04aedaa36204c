import Spillway

/// A limiter as others publish it: a rule that is told of every call that ended.
///
/// Written for this comparison from the published sources, with their defaults. Calls that fail are told as dropped.
final class PublishedLimiter<Rule: PublishedRule>: OverloadLimiter {
    private var rule: Rule
    private var inFlight = 0

    init(_ rule: Rule) { self.rule = rule }

    func admit(at now: Instant) -> OverloadTicket? {
        guard rule.mayEnter(inFlight, at: now) else { return nil }
        inFlight += 1
        return OverloadTicket(at: now, inFlight: inFlight)
    }

    func settle(_ ticket: OverloadTicket, _ end: OverloadEnd, at now: Instant) {
        let took = Double(ticket.at.duration(to: now) / .nanoseconds(1)) / 1e9
        let isFull = inFlight >= Int(rule.limit)
        inFlight -= 1
        rule.record(
            .init(now: now.seconds, took: took, inFlight: ticket.inFlight, dropped: end.outcome.verdict != .success),
            isFull: isFull)
    }
}

/// A call that ended, as a published rule sees it.
struct PublishedSample {
    /// Seconds since the clock's origin.
    let now: Double
    /// Seconds from begin to end.
    let took: Double
    /// Calls in flight when it began.
    let inFlight: Int
    let dropped: Bool
}

/// A published rule.
protocol PublishedRule {
    var limit: Double { get }
    func mayEnter(_ inFlight: Int, at now: Instant) -> Bool
    mutating func record(_ sample: PublishedSample, isFull: Bool)
}

extension PublishedRule {
    func mayEnter(_ inFlight: Int, at now: Instant) -> Bool { inFlight < Int(limit) }
}

/// An exponential average whose first samples count alike, as both published limiters have it.
struct WarmAverage {
    private let factor: Double
    private let warmUp: Int
    private var count = 0
    private var sum = 0.0
    var value = 0.0

    init(window: Int, warmUp: Int = 10) {
        factor = 2 / Double(window + 1)
        self.warmUp = warmUp
    }

    mutating func add(_ sample: Double) {
        if count < warmUp {
            count += 1
            sum += sample
            value = sum / Double(count)
        } else {
            value += factor * (sample - value)
        }
    }
}

extension Instant {
    /// Seconds since the clock's origin.
    var seconds: Double { Double(nanoseconds) / 1e9 }
}
