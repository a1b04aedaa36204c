import GPUClient
import SpillwayCore
import Testing

@Suite("DemandForecast")
struct DemandForecastTests {
    private static let minute = Duration.seconds(60)

    private func at(_ seconds: Int) -> Instant { .zero.advanced(by: .seconds(seconds)) }

    /// So many calls in each of `buckets`, whole minutes from the first on.
    private func fed(
        _ count: Int, minutes: Range<Int>, horizon: Int = 3, season: Int? = nil
    ) throws -> DemandForecast {
        let demand = try DemandForecast(
            DemandForecast.Configuration(bucket: Self.minute, season: season, horizon: horizon))
        for minute in minutes { demand.record(count, at: at(minute * 60)) }
        return demand
    }

    @Test("what is always the same is forecast as it is, for a second")
    func constant() throws {
        let demand = try fed(120, minutes: 0..<40)
        let forecast = try #require(demand.forecast(ahead: Self.minute, at: at(40 * 60)))
        #expect(forecast.perSecond == 2 && forecast.lower == 2 && forecast.upper == 2)
        // Minute 39 is the last that is known, 41 is asked for.
        #expect(forecast.buckets == 2)
        #expect(demand.forecast(ahead: .seconds(-5), at: at(40 * 60 + 59))?.buckets == 1)
        #expect(demand.forecast(ahead: Self.minute * 2, at: at(40 * 60))?.buckets == 3)
        #expect(demand.forecast(ahead: Self.minute * 3, at: at(40 * 60)) == nil)
    }

    @Test("the first bucket is not whole, and the open one is not over")
    func partial() throws {
        let demand = try DemandForecast(DemandForecast.Configuration(bucket: Self.minute, horizon: 1))
        demand.record(1, at: at(59))
        for minute in 1...20 { demand.record(600, at: at(minute * 60)) }
        #expect(demand.forecast(ahead: .zero, at: at(20 * 60 + 59)) == nil)
        // Minutes 1 to 20: nineteen errors, and no trace of the first bucket's one call.
        let forecast = try #require(demand.forecast(ahead: .zero, at: at(21 * 60)))
        #expect(forecast.perSecond == 10 && forecast.lower == 10)
    }

    @Test("counts of one bucket add up, also from a clock that goes back")
    func sums() throws {
        let demand = try DemandForecast(DemandForecast.Configuration(bucket: Self.minute, horizon: 1))
        for minute in 0...30 {
            for second in [0, 30, 10] { demand.record(20, at: at(minute * 60 + second)) }
            if minute > 0 { demand.record(60, at: at(minute * 60 - 1)) }
        }
        #expect(demand.forecast(ahead: .zero, at: at(31 * 60))?.perSecond == 2)
        // The bucket was learnt when the forecast was asked for: what comes late counts for the next.
        demand.record(1_000_000, at: at(30 * 60))
        #expect(demand.forecast(ahead: .zero, at: at(31 * 60))?.perSecond == 2)
        #expect(try #require(demand.forecast(ahead: .zero, at: at(32 * 60))).perSecond > 1_000)
    }

    @Test("a gap is not known; a zero is")
    func gaps() throws {
        let (silent, idle) = (try fed(120, minutes: 0..<40), try fed(120, minutes: 0..<40))
        for minute in 40..<43 { idle.record(0, at: at(minute * 60)) }
        for demand in [silent, idle] { demand.record(120, at: at(43 * 60)) }
        let known = try #require(silent.forecast(ahead: .zero, at: at(44 * 60)))
        #expect(known.perSecond == 2 && known.lower == 2)
        let zeros = try #require(idle.forecast(ahead: .zero, at: at(44 * 60)))
        #expect(zeros.perSecond < 1.5 && zeros.lower < 0.5)
        // While it lasts, the horizon counts from the last bucket that is known.
        let waiting = try fed(120, minutes: 0..<40)
        #expect(waiting.forecast(ahead: .zero, at: at(42 * 60))?.buckets == 3)
        #expect(waiting.forecast(ahead: .zero, at: at(43 * 60)) == nil)
    }

    @Test("after too long a gap all begins anew")
    func anew() throws {
        let demand = try fed(120, minutes: 0..<40)
        for minute in 46..<60 { demand.record(6_000, at: at(minute * 60)) }
        #expect(demand.forecast(ahead: .zero, at: at(60 * 60)) == nil)
        for minute in 60..<66 { demand.record(6_000, at: at(minute * 60)) }
        #expect(demand.forecast(ahead: .zero, at: at(66 * 60)) == nil)
        demand.record(6_000, at: at(66 * 60))
        let forecast = try #require(demand.forecast(ahead: .zero, at: at(67 * 60)))
        #expect(forecast.perSecond == 100 && forecast.lower == 100)
        // One bucket less of a gap, and it is the same series still.
        let same = try fed(120, minutes: 0..<40)
        same.record(120, at: at(45 * 60))
        #expect(same.forecast(ahead: .zero, at: at(46 * 60))?.perSecond == 2)
    }

    @Test("bad counts and bad shares are refused")
    func bad() throws {
        let demand = try fed(120, minutes: 0..<40)
        #expect(!demand.record(-1, at: at(40 * 60)) && !demand.record(.min, at: at(40 * 60)))
        for coverage in [0, 1, -1, 2, .nan, .infinity] {
            #expect(demand.forecast(ahead: .zero, at: at(40 * 60), coverage: coverage) == nil)
        }
        #expect(demand.forecast(ahead: .zero, at: at(40 * 60))?.perSecond == 2)
        for _ in 0..<3 { #expect(demand.record(.max, at: at(40 * 60))) }
        let huge = try #require(demand.forecast(ahead: .zero, at: at(41 * 60)))
        #expect(huge.perSecond.isFinite && huge.upper.isFinite)
        #expect(demand.forecast(ahead: .seconds(Int64.max), at: at(41 * 60)) == nil)
        #expect(demand.forecast(ahead: .zero, at: .distantFuture) == nil)
        #expect(refused { _ = try DemandForecast.Forecast(perSecond: 1, lower: 2, upper: 3) } == "perSecond")
        #expect(refused { _ = try DemandForecast.Forecast(perSecond: 1, lower: 1, upper: 0) } == "upper")
        for bad in [-1, .nan, .infinity] {
            #expect(refused { _ = try DemandForecast.Forecast(perSecond: 1, lower: bad, upper: 3) } == "lower")
        }
    }

    @Test("settings that cannot work are refused by their names, and an update keeps what is known")
    func configuration() throws {
        typealias Configuration = DemandForecast.Configuration
        typealias Smoothing = DemandForecast.Smoothing
        let bad: [(String, Configuration)] =
            [
                ("bucket", Configuration(bucket: .milliseconds(999))),
                ("bucket", Configuration(bucket: .seconds(86_401))),
                ("season", Configuration(season: 1)), ("season", Configuration(season: 10_081)),
                ("horizon", Configuration(horizon: 0)), ("horizon", Configuration(horizon: 289)),
                ("errors", Configuration(errors: 19)), ("errors", Configuration(errors: 2_017)),
            ]
            + [-0.1, 1.1, .nan].flatMap { value in
                [
                    ("smoothing.level", Configuration(smoothing: Smoothing(level: value))),
                    ("smoothing.trend", Configuration(smoothing: Smoothing(trend: value))),
                    ("smoothing.season", Configuration(smoothing: Smoothing(season: value))),
                    ("smoothing.damping", Configuration(smoothing: Smoothing(damping: value))),
                ]
            }
        let demand = try fed(120, minutes: 0..<40)
        for (field, configuration) in bad {
            #expect(refused { _ = try DemandForecast(configuration) } == field)
            #expect(refused { try demand.update(configuration) } == field)
        }
        #expect(demand.forecast(ahead: .zero, at: at(40 * 60))?.perSecond == 2)
        try demand.update(Configuration(bucket: Self.minute, horizon: 3, smoothing: Smoothing(level: 1, trend: 0)))
        demand.record(600, at: at(40 * 60))
        #expect(demand.forecast(ahead: .zero, at: at(41 * 60))?.perSecond == 10)
        try demand.update(Configuration(bucket: Self.minute, horizon: 2))
        #expect(demand.forecast(ahead: .zero, at: at(41 * 60)) == nil)
    }

    @Test("the peak is the bucket with the highest upper end, and is not known unless all are")
    func peak() throws {
        // Ten quiet minutes and two busy ones.
        let demand = try DemandForecast(
            DemandForecast.Configuration(bucket: Self.minute, season: 12, horizon: 12))
        func count(_ minute: Int) -> Int { minute % 12 < 10 ? 60 : 600 }
        for minute in 0..<120 { demand.record(count(minute), at: at(minute * 60)) }
        let now = at(120 * 60)
        #expect(abs(try #require(demand.forecast(ahead: .zero, at: now)).perSecond - 1) < 0.1)
        #expect(try #require(demand.peak(through: Self.minute * 8, at: now)).perSecond < 1.1)
        let peak = try #require(demand.peak(through: Self.minute * 11, at: now))
        #expect(abs(peak.perSecond - 10) < 0.1 && peak.buckets > 10)
        #expect(demand.peak(through: Self.minute * 12, at: now) == nil)
        #expect(demand.peak(through: .seconds(-60), at: now)?.buckets == 1)
    }

    @Test("many tasks record and nothing is lost")
    func together() async throws {
        let demand = try fed(8_000, minutes: 0..<30)
        for minute in 30..<33 {
            let now = at(minute * 60)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { for _ in 0..<1_000 { demand.record(1, at: now) } }
                }
            }
        }
        let forecast = try #require(demand.forecast(ahead: .zero, at: at(33 * 60)))
        #expect(forecast.lower == forecast.upper && forecast.upper == 8_000.0 / 60)
    }
}
