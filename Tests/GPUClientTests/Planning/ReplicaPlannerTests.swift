import GPUClient
import SpillwayCore
import Testing

@Suite("ReplicaPlanner")
struct ReplicaPlannerTests {
    private let price = try! ReplicaPrice(nanoDollarsPerHour: 2_000_000_000)

    private func at(_ seconds: Int) -> Instant { .zero.advanced(by: .seconds(seconds)) }

    private func demand(_ expected: Double, upper: Double? = nil) throws -> DemandForecast.Forecast {
        try DemandForecast.Forecast(perSecond: expected, lower: 0, upper: upper ?? expected)
    }

    @Test("as many as the upper end needs, and the spares beside them")
    func plain() throws {
        let spares = ReplicaPlan.Spares(attainment: 0.999, availability: 0.995)
        let planner = try ReplicaPlanner(ReplicaPlan(perReplica: 10, price: price, spares: spares))
        let advice = planner.advice(for: try demand(150, upper: 195), running: 0, at: at(0))
        // 20 and 2: the founding example of ``Redundancy``.
        #expect(advice.needed == 20 && advice.spares == 2 && advice.replicas == 22 && advice.isEnough)
        #expect(advice.reason == .demand && advice.reason.description == "demand")
        #expect(advice.nanoDollarsPerHour == 44_000_000_000)
        #expect(close(try #require(advice.idleShare), 1 - 150 / 220.0))
    }

    @Test("a load that fits exactly takes no replica more, and nonsense takes none")
    func needed() throws {
        for per in [0.1, 0.2, 0.3, 0.7, 1.1, 3, 7, 1e-3, 1e6] {
            let plan = ReplicaPlan(perReplica: per, price: price)
            for count in [1, 3, 7, 11, 99, 9_999] {
                #expect(plan.needed(perSecond: per * Double(count)) == count, "\(count) of \(per)")
                #expect(plan.needed(perSecond: per * (Double(count) + 1e-6)) == min(count + 1, 10_000))
            }
            for nothing in [0, -1, -Double.infinity, .nan] { #expect(plan.needed(perSecond: nothing) == 0) }
            #expect(plan.needed(perSecond: .infinity) == 10_000)
        }
    }

    @Test("there are never more nor fewer than may be, and it says so")
    func range() throws {
        let planner = try ReplicaPlanner(ReplicaPlan(perReplica: 1, price: price, in: 2...5))
        let most = planner.advice(for: try demand(6), running: 3, at: at(0))
        #expect(most.replicas == 5 && most.reason == .most && !most.isEnough && most.needed == 6)
        let fewest = planner.advice(for: try demand(0), running: 0, at: at(1_000))
        #expect(fewest.replicas == 2 && fewest.reason == .fewest && fewest.isEnough)
        for (running, replicas) in [(-7, 2), (3, 3), (9, 5), (.max, 5)] {
            let unknown = planner.advice(for: nil, running: running, at: at(2_000))
            #expect(unknown.replicas == replicas && unknown.reason == .unknown)
            #expect(unknown.needed == nil && unknown.idleShare == nil && !unknown.isEnough)
        }
        // More run than may: they are let go at once, down to the most.
        #expect(planner.advice(for: try demand(5), running: 9, at: at(3_000)).replicas == 5)
        #expect(planner.advice(for: try demand(1), running: .max, at: at(3_001)).replicas == 5)
    }

    @Test("to nothing, where that may be")
    func toNothing() throws {
        let planner = try ReplicaPlanner(
            ReplicaPlan(
                perReplica: 1, price: price, in: 0...5, spares: .init(attainment: 0.99, availability: 0.9),
                stabilization: .zero))
        let none = planner.advice(for: try demand(0), running: 4, at: at(0))
        #expect(none.replicas == 0 && none.nanoDollarsPerHour == 0 && none.idleShare == 0 && none.isEnough)
        #expect(planner.advice(for: try demand(0.5), running: 0, at: at(1)).replicas == 2)
    }

    @Test("more at once, fewer only once the highest of the window is past, and not by a flutter")
    func stabilization() throws {
        let planner = try ReplicaPlanner(ReplicaPlan(perReplica: 1, price: price))
        #expect(planner.advice(for: try demand(10), running: 4, at: at(0)).replicas == 10)
        let held = planner.advice(for: try demand(3), running: 10, at: at(100))
        #expect(held.replicas == 10 && held.reason == .stabilizing)
        #expect(planner.advice(for: try demand(6), running: 10, at: at(200)).replicas == 10)
        #expect(planner.advice(for: try demand(3), running: 10, at: at(299)).replicas == 10)
        // The 10 is 300 s old, the 6 is not.
        #expect(planner.advice(for: try demand(3), running: 10, at: at(300)).replicas == 6)
        // A clock that goes back does not bring the 10 again.
        #expect(planner.advice(for: try demand(3), running: 10, at: at(5)).replicas == 6)
        #expect(planner.advice(for: try demand(3), running: 6, at: at(500)).replicas == 3)
        // What does not run is not started only because it was wanted once.
        #expect(planner.advice(for: try demand(9), running: 3, at: at(501)).replicas == 9)
        #expect(planner.advice(for: try demand(3), running: 5, at: at(502)).replicas == 5)
    }

    @Test("the cap on idle time ends the waiting, and takes nothing that is needed")
    func idleCap() throws {
        func planner(_ cap: Double?) throws -> ReplicaPlanner {
            try ReplicaPlanner(ReplicaPlan(perReplica: 10, price: price, idleCap: cap))
        }
        func fallen(_ cap: Double?, _ expected: Double, upper: Double) throws -> ReplicaAdvice {
            let planner = try planner(cap)
            _ = planner.advice(for: try demand(200), running: 20, at: at(0))
            return planner.advice(for: try demand(expected, upper: upper), running: 20, at: at(10))
        }
        #expect(try fallen(nil, 60, upper: 80).replicas == 20)
        let half = try fallen(0.5, 60, upper: 80)
        #expect(half.replicas == 12 && half.reason == .idleCap && half.idleShare == 0.5)
        // A third of the time may be idle: 9 replicas; what is needed comes first.
        #expect(try fallen(1.0 / 3, 60, upper: 80).replicas == 9)
        let needed = try fallen(0.1, 60, upper: 80)
        #expect(needed.replicas == 8 && needed.isEnough && needed.reason == .idleCap)
        #expect(try fallen(0.8, 60, upper: 80).reason == .stabilizing)
        #expect(try fallen(0, 0, upper: 80).replicas == 8)
    }

    @Test("advice agrees with a model that keeps everything; what is needed is never taken")
    func model() throws {
        for seed in 1...150 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let fewest = Int.random(in: 0...4, using: &random)
            let most = Int.random(in: 5...40, using: &random)
            let window = Int.random(in: 0...60, using: &random)
            let cap = random.next() % 2 == 0 ? Double.random(in: 0...0.9, using: &random) : nil
            let spares: ReplicaPlan.Spares? =
                random.next() % 2 == 0
                ? .init(
                    attainment: 0.99, availability: .random(in: 0.8...0.999, using: &random),
                    zones: .random(in: 1...3, using: &random), zoneAvailability: 1) : nil
            let planner = try ReplicaPlanner(
                ReplicaPlan(
                    perReplica: 2, price: price, in: fewest...most, spares: spares, stabilization: .seconds(window),
                    idleCap: cap))
            var (history, running, seconds) = ([(time: Int, wanted: Int)](), 0, 0)
            for _ in 0..<80 {
                seconds += Int.random(in: 0...20, using: &random)
                let upper = Double.random(in: 0...90, using: &random)
                let expected = Double.random(in: 0...upper, using: &random)
                let advice = planner.advice(for: try demand(expected, upper: upper), running: running, at: at(seconds))
                let needed = Int((upper / 2).rounded(.up))
                var all = needed
                if let spares, needed > 0 {
                    let plan = try Redundancy(
                        needed: needed, availability: spares.availability, zones: spares.zones)
                    while try plan.attainment(spares: all - needed) < 0.99 { all += 1 }
                }
                let wanted = min(max(all, fewest), most)
                history.append((seconds, wanted))
                let highest = history.filter { $0.time > seconds - window || $0.time == seconds }.map(\.wanted).max()!
                var replicas = max(wanted, min(running, highest))
                if let cap, replicas > wanted, 1 - expected / Double(2 * replicas) > cap {
                    while replicas > wanted, 1 - expected / Double(2 * replicas) > cap { replicas -= 1 }
                    #expect(advice.reason == .idleCap, "seed \(seed)")
                }
                #expect(advice.replicas == replicas, "seed \(seed) at \(seconds)")
                #expect(advice.replicas >= min(all, most) && advice.replicas <= most, "seed \(seed)")
                #expect(advice.isEnough == (advice.replicas >= all), "seed \(seed)")
                #expect(advice.nanoDollarsPerHour == 2_000_000_000 * Int64(advice.replicas))
                running = random.next() % 4 == 0 ? Int.random(in: 0...50, using: &random) : advice.replicas
            }
        }
    }

    @Test("plans that cannot work are refused by their fields, and the old one stays")
    func refusals() throws {
        let good = ReplicaPlan(perReplica: 1, price: price)
        let planner = try ReplicaPlanner(good)
        func check(_ field: String, _ change: (inout ReplicaPlan) -> Void) {
            var plan = good
            change(&plan)
            #expect(refused { _ = try ReplicaPlanner(plan) } == field)
            #expect(refused { try planner.update(plan) } == field)
        }
        for bad in [0, -1, .nan, .infinity] { check("perReplica") { $0.perReplica = bad } }
        check("range.lowerBound") { $0.range = -1...3 }
        check("range.upperBound") { $0.range = 0...0 }
        check("range.upperBound") { $0.range = 0...10_001 }
        check("stabilization") { $0.stabilization = .seconds(-1) }
        check("stabilization") { $0.stabilization = .seconds(86_401) }
        for bad in [-0.1, 1, .nan] { check("idleCap") { $0.idleCap = bad } }
        check("availability") { $0.spares = .init(attainment: 0.9, availability: 0) }
        check("target") { $0.spares = .init(attainment: 1, availability: 0.9) }
        check("zones") { $0.spares = .init(attainment: 0.9, availability: 0.9, zones: 0) }
        // One zone cannot be better than itself.
        check("spares.attainment") {
            $0.spares = .init(attainment: 0.999, availability: 0.99, zones: 1, zoneAvailability: 0.99)
        }
        let dear = try ReplicaPrice(nanoDollarsPerHour: .max / 50)
        check("price") { $0.price = dear }
        #expect(planner.advice(for: try demand(7), running: 0, at: at(0)).replicas == 7)
        try planner.update(ReplicaPlan(perReplica: 7, price: price))
        // What was recommended of late still holds.
        #expect(planner.advice(for: try demand(7), running: 7, at: at(1)).replicas == 7)
        #expect(planner.advice(for: try demand(7), running: 7, at: at(400)).replicas == 1)
    }
}
