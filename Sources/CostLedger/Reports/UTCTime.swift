/// A moment as it is written: `2026-11-21`, or `2026-11-21T09:30:00Z`, in the proleptic Gregorian calendar and UTC.
public struct UTCTime: Sendable, Hashable, CustomStringConvertible {
    /// Nanoseconds since 1970.
    public var nanoseconds: Int64

    private static let day: Int64 = 86_400_000_000_000

    /// A moment, in nanoseconds since 1970.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Reads a date, or a date with hours and minutes and perhaps seconds; `Z` at the end of these may be left out.
    ///
    /// Nil for everything else, for days that no month has, and for what lies beyond the years 1678 to 2261.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        let date = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard date.count == 3, let year = Self.number(date[0], 4), let month = Self.number(date[1], 2),
            let day = Self.number(date[2], 2), (1678...2261).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.days(in: month, of: year)
        else { return nil }
        var seconds: Int64 = 0
        if parts.count == 2 {
            let clock = parts[1].hasSuffix("Z") ? parts[1].dropLast() : parts[1][...]
            let fields = clock.split(separator: ":", omittingEmptySubsequences: false).map { Self.number($0, 2) }
            guard (2...3).contains(fields.count), let hour = fields[0], let minute = fields[1],
                let second = fields.count == 3 ? fields[2] : 0, hour < 24, minute < 60, second < 60
            else { return nil }
            seconds = hour * 3_600 + minute * 60 + second
        }
        nanoseconds = Self.dayNumber(year, month, day) * Self.day + seconds * 1_000_000_000
    }

    /// The date, such as `2026-11-21`.
    public var date: String {
        // Hinnant, *chrono-compatible low-level date algorithms*.
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(year)-\(Self.digits(month))-\(Self.digits(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))"
    }

    /// Date and time to the full second, such as `2026-11-21T09:30:00Z`; for midnight the date alone.
    public var description: String {
        let rest = nanoseconds % Self.day, seconds = (rest < 0 ? rest + Self.day : rest) / 1_000_000_000
        guard seconds != 0 else { return date }
        return "\(date)T" + [seconds / 3_600, seconds / 60 % 60, seconds % 60].map(Self.digits).joined(separator: ":")
            + "Z"
    }

    /// Days since 1970, rounded down.
    private var dayNumber: Int64 { nanoseconds / Self.day - (nanoseconds % Self.day < 0 ? 1 : 0) }

    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let yearOfEra = year % 400
        return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func number(_ text: some StringProtocol, _ digits: Int) -> Int64? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
