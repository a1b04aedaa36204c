/// Writes spans of time for people.
enum Clock {
    /// Such as `4s`, `2m 05s` or `1h 07m`.
    static func text(_ span: Duration) -> String {
        let seconds = max(0, Int((span / .seconds(1)).rounded()))
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3_600 { return "\(seconds / 60)m \(padded(seconds % 60))s" }
        return "\(seconds / 3_600)h \(padded(seconds / 60 % 60))m"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
