/// What came of all calls of one policy against one seed.
struct StormResult: Sendable, Hashable {
    let settings: StormSettings
    /// Requests that were served, by the tick in which they were.
    private(set) var goodByTick: [Int]
    /// Calls that served nobody, by tick: failures, and duplicates that were not needed.
    private(set) var wastedByTick: [Int]

    init(_ settings: StormSettings) {
        self.settings = settings
        goodByTick = Array(repeating: 0, count: settings.ticks)
        wastedByTick = goodByTick
    }

    mutating func count(_ succeeded: Bool, at tick: Int) {
        if succeeded { goodByTick[tick] += 1 } else { wastedByTick[tick] += 1 }
    }

    mutating func discardSuccess(at tick: Int) {
        goodByTick[tick] -= 1
        wastedByTick[tick] += 1
    }

    /// Served requests as a percentage of all that arrived.
    var goodput: Double { percent(goodByTick.reduce(0, +), ofTicks: settings.ticks) }
    /// Requests served during the outage as a percentage of those that arrived during it.
    var goodputInOutage: Double {
        percent(goodByTick[settings.outage].reduce(0, +), ofTicks: settings.outage.count)
    }
    /// The same for the time before and after it; those who waited at its end are served here.
    var goodputOutside: Double {
        percent(
            goodByTick.reduce(0, +) - goodByTick[settings.outage].reduce(0, +),
            ofTicks: settings.ticks - settings.outage.count)
    }

    /// Calls that served nobody.
    var wasted: Int { wastedByTick.reduce(0, +) }
    /// Those during the outage.
    var wastedInOutage: Int { wastedByTick[settings.outage].reduce(0, +) }

    private func percent(_ good: Int, ofTicks ticks: Int) -> Double {
        100 * Double(good) / Double(ticks * settings.arrivals)
    }
}
