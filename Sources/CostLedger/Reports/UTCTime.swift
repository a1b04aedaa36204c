/// A moment as it is written: `2026-11-21`, or `2026-11-21T09:30:00Z`, in the proleptic Gregorian calendar and UTC.
public struct UTCTime: Sendable, Hashable, CustomStringConvertible {
    /// Nanoseconds since 1970.
    public var nanoseconds: Int64

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
        nanoseconds =
            CivilDate(year: year, month: month, day: day).number * CivilDate.dayLength + seconds * 1_000_000_000
    }

    /// The date, such as `2026-11-21`.
    public var date: String {
        let date = CivilDate(at: nanoseconds)
        return "\(date.year)-\(Self.digits(date.month))-\(Self.digits(date.day))"
    }

    /// Date and time to the full second, such as `2026-11-21T09:30:00Z`; for midnight the date alone.
    public var description: String {
        let rest = nanoseconds % CivilDate.dayLength
        let seconds = (rest < 0 ? rest + CivilDate.dayLength : rest) / 1_000_000_000
        guard seconds != 0 else { return date }
        return "\(date)T" + [seconds / 3_600, seconds / 60 % 60, seconds % 60].map(Self.digits).joined(separator: ":")
            + "Z"
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
