import Foundation
import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct WindowTests {
    private var calendar: Calendar {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: "UTC")!
        return calendar
    }

    /// Against the calendar of Foundation, for two centuries.
    @Test func `windows begin and end with the calendar`() throws {
        let pairs: [(Window, Calendar.Component)] = [
            (.minute, .minute), (.hour, .hour), (.day, .day), (.week, .weekOfYear), (.month, .month), (.year, .year),
        ]
        var random = RandomSource.seeded(1)
        for _ in 0..<3_000 {
            // From 1870 to 2170; whole seconds, which a Date holds exactly.
            let second = Int64.random(in: -3_155_000_000...6_311_000_000, using: &random)
            let date = Date(timeIntervalSince1970: Double(second))
            for (window, component) in pairs {
                let interval = try #require(calendar.dateInterval(of: component, for: date))
                let bounds = window.bounds(at: second * 1_000_000_000 + 999_999_999)
                #expect(
                    bounds.start == Int64(interval.start.timeIntervalSince1970) * 1_000_000_000,
                    "\(window) of \(date)")
                #expect(bounds.end == Int64(interval.end.timeIntervalSince1970) * 1_000_000_000, "\(window) of \(date)")
            }
        }
    }

    @Test(arguments: [Window.minute, .hour, .day, .week, .month, .year, .rolling(.seconds(600), steps: 7), .total])
    func `a window is never empty, and time is in it, to the ends of the range`(window: Window) {
        for time in [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max] {
            let (start, end) = window.bounds(at: time)
            #expect(start < end)
            #expect(start <= time && (time < end || end == .max))
        }
    }
}
