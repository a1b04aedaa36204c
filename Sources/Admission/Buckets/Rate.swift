internal import CSpillway
internal import SpillwayCore

/// How fast a bucket fills: units in a span of time.
public struct Rate: Sendable, Hashable {
    /// Units that drip in during ``span``.
    public let units: Double
    /// The span.
    public let span: Duration

    /// `units` in `span`.
    public init(_ units: Double, per span: Duration) {
        self.units = units
        self.span = span
    }

    /// `units` in a second.
    public static func perSecond(_ units: Double) -> Rate { Rate(units, per: .seconds(1)) }
    /// `units` in a minute.
    public static func perMinute(_ units: Double) -> Rate { Rate(units, per: .seconds(60)) }
    /// `units` in a day.
    public static func perDay(_ units: Double) -> Rate { Rate(units, per: .seconds(86_400)) }

    /// Ticks of 1/16 ns in which one unit drips in, rounded up so that the rate is never exceeded.
    func interval(burst: UInt32, _ policy: String) throws(ConfigurationError) -> Int64 {
        let check = Validation(policy)
        try check.require(units.isFinite && units > 0, "rate.units", units, "a finite number above 0")
        try check.duration(span, "rate.span", atLeast: .nanoseconds(1))
        try check.require(burst >= 1, "burst", burst, "from 1 to \(UInt32.max)")
        let ticks = (Double(span.clampedNanoseconds) * Double(SPW_TICKS) / units).rounded(.up)
        // At most a billion units a second: faster than any caller can ask.
        try check.require(ticks >= Double(SPW_TICKS), "rate", self, "at most 1,000,000,000 units a second")
        try check.require(
            ticks * Double(burst) <= Double(Int64(1) << 61), "rate", self,
            "fast enough to fill a burst of \(burst) within 4 years")
        return Int64(ticks)
    }
}

extension Rate: CustomStringConvertible {
    /// Such as `100.0 per 60.0 seconds`.
    public var description: String { "\(units) per \(span)" }
}
