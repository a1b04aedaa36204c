import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct ForecastTests {
    private static let hour = 3_600 * second

    private func burn(limit: Money? = nil, at hours: Int64 = 12, points: Int = 24) -> BurnDown {
        BurnDown(
            over: Window.day.period(at: reportDay), at: reportDay + hours * Self.hour, limit: limit, points: points)
    }

    @Test func `the rate is that of the trailing span, and the limit is reached when it has gone on long enough`() {
        var report = burn(limit: Money(nanodollars: 1_000))
        report.add(.made(1, began: 60, cost: 700))
        report.add(.made(2, began: 11 * 3_600 + 60, cost: 100))
        #expect(report.taken.nanodollars == 800)
        #expect(report.perHour.nanodollars == 100)
        #expect(report.reached == reportDay + 14 * Self.hour)
        #expect(report.forecast.nanodollars == 800 + 1_200)
    }

    @Test func `a limit that is reached is reached now, and one that is not reached in the period never`() {
        var report = burn(limit: Money(nanodollars: 1_000))
        #expect(report.reached == nil)
        report.add(.made(1, began: 11 * 3_600 + 60, cost: 76))
        // Eleven hours more make 912, and twelve hours are left.
        #expect(report.reached == nil)
        report.add(.made(2, cost: 924))
        #expect(report.reached == reportDay + 12 * Self.hour)
        #expect(burn().reached == nil)
    }

    @Test func `what is held counts until it is settled`() {
        var report = burn()
        report.add(.made(1, .held, held: 100))
        #expect(report.taken.nanodollars == 100)
        report.add(.made(1, .suspended, held: 120))
        #expect(report.taken.nanodollars == 120)
        report.add(.made(1, held: 120, cost: 30))
        #expect(report.taken.nanodollars == 30)
        report.add(.made(2, .held))
        report.add(.made(2, .voided))
        #expect(report.taken.nanodollars == 30)
    }

    @Test func `the rate looks before the period, the sum does not`() {
        var report = BurnDown(over: reportDay..<reportDay + 24 * Self.hour, at: reportDay + 60 * second)
        report.add(.made(1, began: -60, cost: 100))
        #expect(report.taken == .zero)
        #expect(report.perHour.nanodollars == 100)
    }

    @Test func `nothing overflows at the ends of time and money`() {
        var report = BurnDown(over: Window.total.period(at: 0), at: .max, trailing: .seconds(Int64.max), limit: .max)
        report.add(.made(1, cost: .max))
        report.add(.made(2, cost: .max))
        #expect(report.taken == .max)
        #expect(report.reached == .max)
        #expect(report.forecast == .max)
        #expect(report.points.last?.taken == .max)
        report = BurnDown(over: Window.total.period(at: 0), at: .min, limit: .max)
        report.add(.made(1, cost: 1))
        #expect(report.taken == .zero && report.points.count == 1)
    }

    @Test func `the points rise to what was taken, and end now`() {
        forEachSeed(100) { seed, random in
            let hours = Int64(random.upTo(30 * 24))
            var report = BurnDown(
                over: Window.month.period(at: reportDay), at: reportDay + hours * Self.hour, points: 1 + random.upTo(90)
            )
            let postings = randomJournal(&random, operations: 60)
            report.add(contentsOf: postings)
            let known = postings.filter { $0.began <= report.now && report.period.contains($0.began) }
            var last: [UInt64: Posting] = [:]
            for posting in known { last[posting.number] = posting }
            let taken = last.values.reduce(Money.zero) { sum, posting in
                switch posting.kind {
                case .held, .suspended: sum + posting.held
                case .settled: sum + posting.cost
                case .voided, .saved: sum
                }
            }
            #expect(report.taken == taken, "seed \(seed)")
            let points = report.points
            #expect(
                zip(points, points.dropFirst()).allSatisfy { $0.taken <= $1.taken && $0.time < $1.time }, "seed \(seed)"
            )
            #expect(points.last?.taken == taken, "seed \(seed)")
            #expect(points.last?.time == min(report.now, report.period.upperBound), "seed \(seed)")
        }
    }
}
