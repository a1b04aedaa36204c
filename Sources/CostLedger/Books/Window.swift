internal import SpillwayCore

/// The span over which a spend limit counts.
///
/// Every window is an account of its own: what was held in one is settled in it, so that no reset can race a posting.
public enum Window: Sendable, Hashable {
    /// From a full minute to the next, in UTC.
    case minute
    /// From a full hour to the next, in UTC.
    case hour
    /// From midnight to midnight, in UTC.
    case day
    /// From Monday to Monday, in UTC.
    case week
    /// A calendar month, in UTC.
    case month
    /// A calendar year, in UTC.
    case year
    /// The last `span`, up to a `steps`-th of it more: what was spent in a step counts until all of it is older than `span`.
    case rolling(Duration, steps: Int = 12)
    /// For ever.
    case total

    /// The window, or the step of a rolling one, that `time` is in: its first nanosecond since 1970, and the first after it.
    func bounds(at time: Int64) -> (start: Int64, end: Int64) {
        switch self {
        case .minute: Self.grid(time, 60_000_000_000)
        case .hour: Self.grid(time, 3_600_000_000_000)
        case .day: Self.grid(time, CivilDate.dayLength)
        // 1970 began on a Thursday.
        case .week: Self.grid(time, 7 * CivilDate.dayLength, offset: 4 * CivilDate.dayLength)
        case .month: Self.calendar(time, months: 1)
        case .year: Self.calendar(time, months: 12)
        case .rolling: Self.grid(time, step)
        case .total: (.min, .max)
        }
    }

    /// The nanoseconds of one step of a rolling window; 0 for others.
    var step: Int64 {
        guard case .rolling(let span, let steps) = self else { return 0 }
        // Rounded up: else a step more would count.
        let count = Int64(max(1, steps))
        return max(1, span.clampedNanoseconds / count + (span.clampedNanoseconds % count == 0 ? 0 : 1))
    }

    /// The nanoseconds of a rolling window; 0 for others.
    var span: Int64 {
        guard case .rolling(let span, _) = self else { return 0 }
        return span.clampedNanoseconds
    }

    private static func grid(_ time: Int64, _ length: Int64, offset: Int64 = 0) -> (Int64, Int64) {
        let (shifted, overflow) = time.subtractingReportingOverflow(offset)
        guard !overflow else { return (.min, .max) }
        let rest = ((shifted % length) + length) % length
        let (start, under) = time.subtractingReportingOverflow(rest)
        let (end, over) = start.addingReportingOverflow(length)
        return (under ? .min : start, over ? .max : end)
    }

    /// Years and months of the calendar.
    private static func calendar(_ time: Int64, months: Int64) -> (Int64, Int64) {
        let date = CivilDate(at: time)
        // Months since year 0, rounded down to the window's first.
        let first = (date.year * 12 + date.month - 1) / months * months
        return (start(ofMonth: first), start(ofMonth: first + months))
    }

    private static func start(ofMonth count: Int64) -> Int64 {
        let day = CivilDate(year: count / 12, month: count % 12 + 1, day: 1).number
        let (start, overflow) = day.multipliedReportingOverflow(by: CivilDate.dayLength)
        return overflow ? (count < 23_640 ? .min : .max) : start
    }
}

extension Window: CustomStringConvertible {
    /// Such as `month` or `rolling 600.0 seconds`.
    public var description: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .day: "day"
        case .week: "week"
        case .month: "month"
        case .year: "year"
        case .rolling(let span, _): "rolling \(span)"
        case .total: "total"
        }
    }
}
