/// How long requests wait in the fleet of the retry storm, with and without the textbook's hedging, by load.
struct WaitStudy: Sendable {
    /// When a request arrives.
    enum Period: String, Sendable, CaseIterable {
        case before
        case during = "in the outage"
        case after
    }

    /// Requests of one period under one load and policy, of all seeds.
    struct Row: Sendable {
        let arrivals: Int
        let isHedged: Bool
        let period: Period
        let waits: Waits
    }

    /// Requests in a tick, of 80 slots.
    static let loads = [20, 40, 60, 72]

    let settings: StormSettings
    let rows: [Row]

    /// Plays both policies under every load against every seed.
    static func run(_ settings: StormSettings, seeds: Range<UInt64>) async throws -> WaitStudy {
        let plays = loads.flatMap { load in [false, true].map { (load: load, isHedged: $0) } }
        let outcomes = try await Seeds.map(seeds, "hedging, waits") { seed in
            plays.map { play in
                var fleet = settings.varied(by: seed)
                fleet.arrivals = play.load
                let queue = RequestQueue(copies: play.isHedged ? 2 : 1)
                return (
                    outage: fleet.outage,
                    requests: queue.serve(StormFleet(fleet, seed: seed, dice: SlotDice(seed: seed)))
                )
            }
        }
        let rows = plays.enumerated().flatMap { index, play in
            Period.allCases.map { period in
                var waits = Waits()
                for outcome in outcomes.map({ $0[index] }) {
                    for request in outcome.requests where period == Period(of: request.arrived, outcome.outage) {
                        waits.count(request)
                    }
                }
                return Row(arrivals: play.load, isHedged: play.isHedged, period: period, waits: waits)
            }
        }
        return WaitStudy(settings: settings, rows: rows)
    }

    /// The row of a load, a policy and a period.
    func row(_ arrivals: Int, hedged: Bool, _ period: Period) -> Row? {
        rows.first { $0.arrivals == arrivals && $0.isHedged == hedged && $0.period == period }
    }
}

extension WaitStudy.Period {
    fileprivate init(of tick: Int, _ outage: Range<Int>) {
        self = tick < outage.lowerBound ? .before : tick < outage.upperBound ? .during : .after
    }
}
