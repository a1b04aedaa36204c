internal import SpillwayCore

/// How fast money is spent, and when a limit will be reached.
///
/// Counted is what counts against limits: what settled attempts cost, and what is held or in suspense.
public struct BurnDown: LedgerReport {
    /// What had been taken by a time.
    public struct Point: Sendable, Hashable {
        /// Nanoseconds since 1970.
        public let time: Int64
        /// All that was taken since the period began.
        public let taken: Money
    }

    /// What is looked at, in nanoseconds since 1970.
    public let period: Range<Int64>
    /// The time up to which it is known, in nanoseconds since 1970.
    public let now: Int64
    private let trailing: Int64
    private let limit: Money?
    private var steps: [Money]
    private var inTrailing = Money.zero
    private var open = OpenHolds()

    /// A report on a period.
    ///
    /// - Parameters:
    ///   - period: What is looked at, such as that of a limit (``Window/period(at:)``), in nanoseconds since 1970.
    ///   - now: The time up to which it is known, in nanoseconds since 1970.
    ///   - trailing: The span before now whose rate is taken for what is to come; an hour by default, at least a millisecond.
    ///   - limit: What must not be passed; nil: nothing.
    ///   - points: In how many steps the period is drawn, 60 by default.
    public init(
        over period: Range<Int64>, at now: Int64, trailing: Duration = .seconds(3_600), limit: Money? = nil,
        points: Int = 60
    ) {
        self.period = period
        self.now = now
        self.trailing = max(1_000_000, trailing.clampedNanoseconds)
        self.limit = limit
        steps = Array(repeating: .zero, count: max(1, points))
    }

    /// Takes one more posting into account; those before the period, too, for the rate.
    public mutating func add(_ posting: Posting) {
        let hold = open.take(posting)
        let held = (hold.after?.amount ?? .zero) - (hold.before?.amount ?? .zero)
        take(posting.kind == .settled ? held + posting.cost : held, at: posting.began)
    }

    private mutating func take(_ amount: Money, at time: Int64) {
        guard time <= now else { return }
        if now &- time < trailing, now &- time >= 0 { inTrailing += amount }
        guard period.contains(time) else { return }
        let width = Int128(period.upperBound) - Int128(period.lowerBound)
        let part = (Int128(time) - Int128(period.lowerBound)) * Int128(steps.count) / width
        steps[Int(part)] += amount
    }

    /// All that was taken in the period up to now.
    public var taken: Money { steps.reduce(.zero, +) }

    /// What an hour costs at the rate of the trailing span.
    public var perHour: Money { inTrailing.times(3_600_000_000_000, over: trailing) }

    /// When the limit is reached at that rate, in nanoseconds since 1970; now, if it is reached; nil: not in the period.
    public var reached: Int64? {
        guard let limit else { return nil }
        let left = limit - taken
        guard left > .zero else { return now }
        guard inTrailing > .zero else { return nil }
        let wait =
            (Int128(left.nanodollars) * Int128(trailing) + Int128(inTrailing.nanodollars) - 1)
            / Int128(inTrailing.nanodollars)
        let time = Int128(now) + wait
        return time < Int128(period.upperBound) ? Int64(time) : nil
    }

    /// What will have been taken when the period ends, at that rate; no less than was taken.
    public var forecast: Money {
        guard period.upperBound != .max else { return taken }
        let (left, overflow) = period.upperBound.subtractingReportingOverflow(now)
        return left <= 0 || overflow ? taken : taken + inTrailing.times(left, over: trailing)
    }

    /// What had been taken at the end of each step that has begun, from nothing at the begin of the period on; the last is now.
    public var points: [Point] {
        let width = Int128(period.upperBound) - Int128(period.lowerBound)
        var points = [Point(time: period.lowerBound, taken: .zero)], sum = Money.zero
        for (index, step) in steps.enumerated() {
            let end = Int64(Int128(period.lowerBound) + width * Int128(index + 1) / Int128(steps.count))
            sum += step
            guard end < now else {
                if now > period.lowerBound { points.append(Point(time: now, taken: sum)) }
                break
            }
            points.append(Point(time: end, taken: sum))
        }
        return points
    }

    /// What was taken and, with a limit, what is left of it, for each of ``points``.
    public var table: ReportTable {
        ReportTable(
            ["time", "taken"] + (limit == nil ? [] : ["left"]),
            points.map { point in
                [.text(UTCTime(nanoseconds: point.time).description), .money(point.taken)]
                    + (limit.map { [.money($0 - point.taken)] } ?? [])
            })
    }
}
