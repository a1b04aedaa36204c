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
        case .day: Self.grid(time, Self.dayLength)
        // 1970 began on a Thursday.
        case .week: Self.grid(time, 7 * Self.dayLength, offset: 4 * Self.dayLength)
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

    private static let dayLength: Int64 = 86_400_000_000_000

    private static func grid(_ time: Int64, _ length: Int64, offset: Int64 = 0) -> (Int64, Int64) {
        let (shifted, overflow) = time.subtractingReportingOverflow(offset)
        guard !overflow else { return (.min, .max) }
        let rest = ((shifted % length) + length) % length
        let (start, under) = time.subtractingReportingOverflow(rest)
        let (end, over) = start.addingReportingOverflow(length)
        return (under ? .min : start, over ? .max : end)
    }

    /// Years and months of the proleptic Gregorian calendar; Hinnant, *chrono-compatible low-level date algorithms*.
    private static func calendar(_ time: Int64, months: Int64) -> (Int64, Int64) {
        let day = time / dayLength - (time % dayLength < 0 ? 1 : 0)
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        // Months since year 0, rounded down to the window's first.
        let first = (year * 12 + month - 1) / months * months
        return (start(ofMonth: first), start(ofMonth: first + months))
    }

    private static func start(ofMonth count: Int64) -> Int64 {
        let month = count % 12 + 1
        let year = count / 12 - (month <= 2 ? 1 : 0)
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let (start, overflow) = (era * 146_097 + dayOfEra - 719_468).multipliedReportingOverflow(by: dayLength)
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
