public import SpillwayCore

/// A reference for buckets: remembers what they let pass, and finds any span of time in which it was too much.
///
/// The promise is a statement about a set, not about an order: over every span of time from one admission to another, ends
/// included, the units that passed are at most `burst + units × span ⁄ per`. So it may be told of admissions in any
/// order, by any thread, and by a clock that goes back. Units that were given back count as never taken, for a refund must
/// not give more than if the call had never asked.
///
/// It keeps every admission (16 bytes each) and judges them once, in time order, by the recurrence of the generic cell
/// rate algorithm (ITU-T I.371) on 128-bit integers: linear in the number of admissions when they came in order, exact,
/// and with no tolerance. Buckets that round must round against the caller.
public struct RateMeter: Sendable {
    /// A span of time in which too much passed.
    public struct Excess: Sendable, Hashable, CustomStringConvertible {
        /// Units that passed.
        public let units: Int
        /// When the first of them passed.
        public let from: Instant
        /// When the last of them passed.
        public let to: Instant
        /// The most units that may pass in that time, rounded down.
        public let allowed: Int

        /// One line: units, span and limit.
        public var description: String {
            "\(units) units from \(from) to \(to), at most \(allowed) may pass"
        }
    }

    private struct Admission {
        let at: Int64
        let cost: UInt32
        var kept = true
    }

    /// Units that drip in during ``span``.
    public let units: Int
    /// The span of the rate.
    public let span: Duration
    /// The most units that the bucket holds.
    public let burst: Int
    private var admissions: [Admission] = []

    /// A meter for a bucket that holds `burst` units and gets `units` in every `span`.
    ///
    /// - Throws: `ConfigurationError` unless units and burst are from 1 to 2³² and the span is from 1 ns to 10 years.
    public init(units: Int, per span: Duration, burst: Int) throws(ConfigurationError) {
        let check = Validation("RateMeter")
        try check.count(units, "units", in: 1...(1 << 32))
        try check.duration(span, "span", atLeast: .nanoseconds(1))
        try check.count(burst, "burst", in: 1...(1 << 32))
        self.units = units
        self.span = span
        self.burst = burst
    }

    /// Remembers that `cost` units passed at `now`, and returns the number of the admission.
    ///
    /// Units that were reserved pass when they are ready, not when they were asked for.
    @discardableResult
    public mutating func took(_ cost: UInt32, at now: Instant) -> Int {
        admissions.append(Admission(at: now.nanoseconds, cost: cost))
        return admissions.count - 1
    }

    /// Forgets an admission whose units were given back; a number that was never given does nothing.
    public mutating func gaveBack(_ admission: Int) {
        if admissions.indices.contains(admission) { admissions[admission].kept = false }
    }

    /// The first span in which too much passed; nil when the bucket kept its promise.
    public var excess: Excess? {
        var ordered = admissions
        if zip(ordered, ordered.dropFirst()).contains(where: { $0.at > $1.at }) { ordered.sort { $0.at < $1.at } }
        // One unit is worth `scale` points, and time brings `units` points a nanosecond, so that nothing is divided.
        let scale = Int128(span.clampedNanoseconds), rate = Int128(units), full = Int128(burst) * scale
        var arrival: Int128?  // when the bucket would be full again, in points
        var from: Int64 = 0
        var sum = 0
        for admission in ordered where admission.kept && admission.cost > 0 {
            let now = Int128(admission.at) * rate
            if arrival.map({ $0 <= now }) ?? true {
                arrival = now
                from = admission.at
                sum = 0
            }
            sum += Int(admission.cost)
            let next = arrival! + Int128(admission.cost) * scale
            arrival = next
            guard next > now + full else { continue }
            let allowed = (full + (now - Int128(from) * rate)) / scale
            return Excess(
                units: sum, from: Instant(nanoseconds: from), to: Instant(nanoseconds: admission.at),
                allowed: Int(clamping: allowed))
        }
        return nil
    }
}
