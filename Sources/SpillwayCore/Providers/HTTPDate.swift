/// Reads dates without Foundation: the three forms of RFC 9110, section 5.6.7, and RFC 3339.
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970 of an HTTP date; nil when it is none.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT":  // Sun, 06 Nov 1994 08:49:37 GMT
            guard let day = Int64(words[1]), let year = Int64(words[3]) else { return nil }
            return seconds(year, words[2], day, words[4])
        case 4 where words[3] == "GMT":  // Sunday, 06-Nov-94 08:49:37 GMT
            let date = words[1].split(separator: "-").map(String.init)
            guard date.count == 3, let day = Int64(date[0]), let year = Int64(date[2]) else { return nil }
            return seconds(year < 70 ? year + 2000 : year < 100 ? year + 1900 : year, date[1], day, words[2])
        case 5:  // Sun Nov  6 08:49:37 1994
            guard let day = Int64(words[2]), let year = Int64(words[4]) else { return nil }
            return seconds(year, words[1], day, words[3])
        default: return nil
        }
    }

    /// Seconds since 1970 of an RFC 3339 time; nil when it is none.
    static func timestamp(_ text: String) -> Double? {
        guard let mark = text.firstIndex(where: { "Tt ".contains($0) }) else { return nil }
        let date = text[..<mark].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else { return nil }
        let rest = text[text.index(after: mark)...]
        guard let zone = rest.firstIndex(where: { "Zz+-".contains($0) }) else { return nil }
        let parts = rest[..<zone].split(separator: ".", maxSplits: 1).map(String.init)
        guard let clock = parts.first, let time = timeOfDay(clock),
            let fraction = parts.count == 2 ? Double("0." + parts[1]) : 0,
            let days = daysSince1970(year, month, day)
        else { return nil }
        var offset: Int64 = 0
        if !"Zz".contains(rest[zone]) {
            let hours = rest[rest.index(after: zone)...].split(separator: ":").map { Int64($0) }
            guard hours.count == 2, let hour = hours[0], let minute = hours[1], (0..<24).contains(hour),
                (0..<60).contains(minute)
            else { return nil }
            offset = (hour * 3_600 + minute * 60) * (rest[zone] == "-" ? -1 : 1)
        } else if rest.index(after: zone) != rest.endIndex {
            return nil
        }
        return Double(days * 86_400 + time - offset) + fraction
    }

    private static func seconds(_ year: Int64, _ month: String, _ day: Int64, _ clock: String) -> Int64? {
        guard let index = months.firstIndex(of: month), let time = timeOfDay(clock),
            let days = daysSince1970(year, Int64(index) + 1, day)
        else { return nil }
        return days * 86_400 + time
    }

    private static func timeOfDay(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    /// Days from 1970-01-01, after Hinnant, *chrono-compatible low-level date algorithms*.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day), (1...9999).contains(year) else { return nil }
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
