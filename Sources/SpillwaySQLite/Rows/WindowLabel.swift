#if SQLiteSupport
internal import CostLedger
internal import SpillwayCore

/// A window as a text that can be read back, such as `month` or `rolling 600000000000 ns in 12 steps`.
enum WindowLabel {
    private static let plain: [(window: Window, label: String)] = [
        (.minute, "minute"), (.hour, "hour"), (.day, "day"), (.week, "week"), (.month, "month"), (.year, "year"),
        (.total, "total"),
    ]

    static func label(of window: Window) -> String {
        if case .rolling(let span, let steps) = window {
            return "rolling \(span.clampedNanoseconds) ns in \(steps) steps"
        }
        return plain.first { $0.window == window }?.label ?? "\(window)"
    }

    static func window(_ label: String) -> Window? {
        let words = label.split(separator: " ")
        if words.count == 6, words[0] == "rolling", let span = Int64(words[1]), let steps = Int(words[4]) {
            return .rolling(.nanoseconds(span), steps: steps)
        }
        return plain.first { $0.label == label }?.window
    }

    /// Until when a balance counts against a limit: that of a rolling window, a span after the end of its step.
    static func countsUntil(_ balance: Balance) -> Int64 {
        guard case .rolling(let span, _) = balance.window else { return balance.end }
        let (sum, overflow) = balance.end.addingReportingOverflow(span.clampedNanoseconds)
        return overflow ? .max : sum
    }
}
#endif
