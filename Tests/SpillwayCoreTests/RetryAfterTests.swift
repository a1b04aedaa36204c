import SpillwayCore
import Testing

@Suite struct RetryAfterTests {
    /// 1994-11-06 08:49:37 GMT, the date of RFC 9110's examples.
    private let example = 784_111_777.0

    @Test func secondsAreReadInEveryForm() {
        for (text, seconds) in [("120", 120.0), ("0", 0), ("0.5", 0.5), (" 7 ", 7), ("1e2", 100), ("\t3\r\n", 3)] {
            #expect(RetryAfter.header(text, now: 0) == .seconds(seconds), "'\(text)'")
        }
        #expect(RetryAfter.milliseconds("1500") == .milliseconds(1_500))
        #expect(RetryAfter.milliseconds("12.5") == .microseconds(12_500))
    }

    @Test func datesAreReadInAllThreeForms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ] {
            #expect(RetryAfter.header(text, now: example - 90) == .seconds(90), "\(text)")
            #expect(RetryAfter.header(text, now: example + 90) == .zero, "\(text): past")
        }
        #expect(RetryAfter.header("Thu, 01 Jan 1970 00:00:10 GMT", now: 0) == .seconds(10))
        #expect(RetryAfter.header("Thu, 29 Feb 2024 00:00:00 GMT", now: 1_709_164_800) == .zero)
        #expect(RetryAfter.header("Fri, 01 Mar 2024 00:00:00 GMT", now: 1_709_164_800) == .seconds(86_400))
        #expect(RetryAfter.header("Tuesday, 01-Jan-69 00:00:00 GMT", now: 3_124_223_999) == .seconds(1))
    }

    @Test func whatIsNoTimeIsNoHint() {
        for text in [
            "", " ", "soon", "nan", "NaN", "inf", "-inf", "infinity", "12 34", "1,5", "2 minutes", "--1", "٣",
            "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, xx Nov 1994 08:49:37 GMT", "Sunday, 06-Nov 08:49:37 GMT", "Sun Nov 6 08:49:37 99999",
            String(repeating: "9 ", count: 500),
        ] {
            #expect(RetryAfter.header(text, now: 0) == nil, "'\(text.prefix(40))'")
        }
        for text in ["", "x", "nan", "inf"] { #expect(RetryAfter.milliseconds(text) == nil, "'\(text)'") }
    }

    @Test func negativeIsNowAndHugeIsBounded() {
        #expect(RetryAfter.header("-5", now: 0) == .zero)
        #expect(RetryAfter.milliseconds("-5") == .zero)
        for text in ["1e300", "99999999999999999999", String(repeating: "9", count: 300)] {
            #expect(RetryAfter.header(text, now: 0) == .seconds(315_576_000), "\(text.prefix(20))")
        }
        #expect(RetryAfter.header("Fri, 31 Dec 9999 23:59:59 GMT", now: 0) == .seconds(315_576_000))
        #expect(RetryAfter.header("Sun, 06 Nov 1994 08:49:37 GMT", now: .nan) == .zero)
    }

    @Test func spansAreReadInOpenAIsAndGooglesForms() {
        let good: [(String, Duration)] = [
            ("1s", .seconds(1)), ("6m0s", .seconds(360)), ("12ms", .milliseconds(12)), ("22s", .seconds(22)),
            ("22.5s", .milliseconds(22_500)), ("1h2m3s", .seconds(3_723)), ("2d", .seconds(172_800)),
            ("0s", .zero), (" 4s ", .seconds(4)), ("500us", .microseconds(500)), ("7ns", .nanoseconds(7)),
        ]
        for (text, expected) in good {
            // Rounded up, so that nobody is early.
            let read = RetryAfter.span(text) ?? .seconds(-1)
            #expect(read >= expected && read <= expected + .nanoseconds(1), "\(text)")
        }
        for text in ["", " ", "5", "s", "-5s", "5x", "5s4", "1.2.3s", ".s", "five s", "5 s", "infs", "nans", "²s"] {
            #expect(RetryAfter.span(text) == nil, "'\(text)'")
        }
        #expect(RetryAfter.span(String(repeating: "9", count: 400) + "s") == nil)
        #expect(RetryAfter.span("99999999999999999d") == .seconds(315_576_000))
    }

    @Test func timestampsAreReadInAnthropicsForm() {
        let now = 1_767_225_600.0  // 2026-01-01T00:00:00Z
        let good: [(String, Double)] = [
            ("2026-01-01T00:00:30Z", 30), ("2026-01-01t00:00:30z", 30), ("2026-01-01 00:00:30Z", 30),
            ("2026-01-01T02:00:30+02:00", 30), ("2025-12-31T19:00:30-05:00", 30), ("2026-01-01T00:00:00.5Z", 0.5),
            ("2025-12-31T23:59:00Z", 0), ("0001-01-01T00:00:00Z", 0),
        ]
        for (text, seconds) in good {
            #expect(RetryAfter.timestamp(text, now: now) == .seconds(seconds), "\(text)")
        }
        for text in [
            "", "Z", "T", "2026-01-01", "2026-01-01T00:00:30", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00Zjunk",
            "2026-01-01T25:00:00Z", "2026-01-01T00:00:00+99:00", "2026-01-01T00:00:00+0200", "99999-01-01T00:00:00Z",
            "2026-01-01T::Z", "2026--01T00:00:00Z", "aaaa-bb-ccTdd:ee:ffZ",
            "2026-01-01T00:00:00+-9223372036854775808:00", "2026-01-01T00:00:00--1:00", "2026-01-01T00:00:00+01:-1",
            "2026-01-01T-9223372036854775808:00:00Z", "-9223372036854775808-01-01T00:00:00Z",
        ] {
            #expect(RetryAfter.timestamp(text, now: now) == nil, "'\(text)'")
        }
    }

    /// Bytes at random, and good values with a byte changed, are read or passed over; nothing crashes, nothing is negative.
    @Test func nothingThatIsSentCrashesIt() {
        let good = [
            "120", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "6m0s", "2026-01-01T00:00:00.123+01:00",
        ]
        forSeeds(2_000) { seed, random in
            var bytes = Array(good[Int(random.next(through: UInt64(good.count - 1)))].utf8)
            for _ in 0...random.next(through: 3) {
                bytes[Int(random.next(through: UInt64(bytes.count - 1)))] = UInt8(truncatingIfNeeded: random.next())
            }
            let text = String(decoding: bytes, as: UTF8.self)
            for wait in [
                RetryAfter.header(text, now: example), RetryAfter.milliseconds(text), RetryAfter.span(text),
                RetryAfter.timestamp(text, now: example),
            ] {
                #expect(wait.map { $0 >= .zero && $0 <= .seconds(315_576_000) } ?? true, "seed \(seed)")
            }
        }
    }
}
