import SpillwayCore
import SpillwayTesting
import Testing

@testable import Admission

/// Whose turn it is, against a model that looks at every call.
@Suite struct WaitingLineTests {
    /// All that waits, in the order of coming.
    private struct Model {
        struct Waiter {
            let id: Int
            let key: String
            let criticality: Criticality
            let cost: Double
            let since: Instant
        }

        var waiters: [Waiter] = []
        var starts: [String: Double] = [:]
        var clock = 0.0
        let weights: [String: Double]

        mutating func add(_ waiter: Waiter) {
            if !waiters.contains(where: { $0.key == waiter.key }) {
                starts[waiter.key] = max(starts[waiter.key] ?? 0, clock)
            }
            waiters.append(waiter)
        }

        mutating func remove(_ id: Int, letThrough: Bool) {
            let index = waiters.firstIndex { $0.id == id }!
            let waiter = waiters.remove(at: index)
            if letThrough {
                starts[waiter.key]! += waiter.cost / (weights[waiter.key] ?? 1)
                clock = max(clock, starts[waiter.key]!)
            }
            if waiters.isEmpty { (starts, clock) = ([:], 0) }
        }

        /// The ids of which one must be next: the oldest of those tenants whose oldest call ends first.
        func next() -> Set<Int> {
            guard let most = waiters.map(\.criticality).max() else { return [] }
            let ranked = waiters.filter { $0.criticality == most }
            let firsts = Dictionary(grouping: ranked, by: \.key).values.map { $0[0] }
            func end(_ waiter: Waiter) -> Double { starts[waiter.key]! + waiter.cost / (weights[waiter.key] ?? 1) }
            let least = firsts.map(end).min()!
            return Set(firsts.filter { end($0) == least }.map(\.id))
        }
    }

    @Test func theNextIsWhoeverTheModelSays() {
        forSeeds(300) { seed, random in
            let weights = ["a": 3.0, "b": 0.5]
            var line = WaitingLine(), model = Model(weights: weights), now = at(1)
            for step in 0..<200 {
                now = now.advanced(by: .milliseconds(Int(random.next(through: 50))))
                switch random.next(through: 4) {
                case 0, 1:
                    let key = ["a", "b", "c", "d"][Int(random.next(through: 3))]
                    let criticality = Criticality.allCases[Int(random.next(through: 3))]
                    let cost = Double(1 + random.next(through: 9))
                    let id = line.add(
                        key, weight: weights[key] ?? 1, criticality, cost: cost, since: now, latest: .distantFuture)
                    model.add(.init(id: id, key: key, criticality: criticality, cost: cost, since: now))
                case 2, 3:
                    let next = line.next(newestFirstAfter: .max, at: now)
                    let isRight = next.map { model.next().contains($0) } ?? model.waiters.isEmpty
                    #expect(isRight, "seed \(seed), step \(step)")
                    if let next {
                        line.remove(next, letThrough: true)
                        line.free(next)
                        model.remove(next, letThrough: true)
                    }
                default:
                    guard let goes = model.waiters.randomElement(using: &random) else { continue }
                    line.remove(goes.id, letThrough: false)
                    line.free(goes.id)
                    model.remove(goes.id, letThrough: false)
                }
                #expect(line.count == model.waiters.count)
                #expect(Set(line.waiting) == Set(model.waiters.map(\.id)))
                #expect(line.oldest == model.waiters.map(\.since).min())
                for criticality in Criticality.allCases {
                    #expect(
                        line.counts[Int(criticality.rawValue)]
                            == model.waiters.filter { $0.criticality == criticality }.count)
                }
            }
        }
    }

    @Test func sharesFollowWeightsAndCosts() {
        var line = WaitingLine(), served: [String: Double] = [:]
        let costs = ["small": 1.0, "large": 8.0], weights = ["small": 1.0, "large": 2.0]
        for (key, cost) in costs {
            for _ in 0..<2_000 {
                _ = line.add(key, weight: weights[key]!, .critical, cost: cost, since: at(1), latest: .distantFuture)
            }
        }
        for _ in 0..<1_000 {
            let next = line.next(newestFirstAfter: .max, at: at(2))!
            let cost = line.places[next].cost
            served[cost == 1 ? "small" : "large", default: 0] += cost
            line.remove(next, letThrough: true)
        }
        // No further apart than what one call of each may take at a time.
        #expect(abs(served["large"]! / 2 - served["small"]!) <= 9)
    }

    @Test func whoeverComesLateGetsNoCreditForItsAbsence() {
        var line = WaitingLine()
        for _ in 0..<100 { _ = line.add("early", weight: 1, .critical, cost: 1, since: at(1), latest: .distantFuture) }
        for _ in 0..<50 { line.remove(line.next(newestFirstAfter: .max, at: at(2))!, letThrough: true) }
        let late = (0..<50).map { _ in
            line.add("late", weight: 1, .critical, cost: 1, since: at(2), latest: .distantFuture)
        }
        var turns = 0
        for _ in 0..<40 {
            let next = line.next(newestFirstAfter: .max, at: at(2))!
            if late.contains(next) { turns += 1 }
            line.remove(next, letThrough: true)
        }
        #expect((19...21).contains(turns))
    }

    @Test func realUseMovesATenantsTurn() {
        var line = WaitingLine()
        let first = line.add("a", weight: 1, .critical, cost: 1, since: at(1), latest: .distantFuture)
        let second = line.add("b", weight: 1, .critical, cost: 1, since: at(1.1), latest: .distantFuture)
        #expect(line.next(newestFirstAfter: .max, at: at(2)) == first)
        line.charge("a", 5, era: line.era)
        #expect(line.next(newestFirstAfter: .max, at: at(2)) == second)
        line.charge("a", -5, era: line.era)
        #expect(line.next(newestFirstAfter: .max, at: at(2)) == first)
        // What was charged when all was another time is not given back now, nor more than brings it to the others.
        line.charge("b", -5, era: line.era - 1)
        line.charge("b", -5, era: line.era)
        #expect(line.next(newestFirstAfter: .max, at: at(2)) == first)
    }

    @Test func whoWasServedIsNotBehindAllWhoComeAnew() {
        var line = WaitingLine(), turns: [Int] = []
        for _ in 0..<20 {
            _ = line.add("steady", weight: 1, .critical, cost: 1, since: at(1), latest: .distantFuture)
        }
        for number in 0..<20_000 {
            // There is always somebody who was never served.
            _ = line.add("\(number)", weight: 1, .critical, cost: 1, since: at(2), latest: .distantFuture)
            let next = line.next(newestFirstAfter: .max, at: at(3))!
            if line.places[next].since == at(1) { turns.append(number) }
            line.remove(next, letThrough: true)
            line.free(next)
        }
        #expect(turns.count == 20 && turns.last! < 1_000, "\(turns)")
        #expect(line.laneCount < 500, "those who were served take no memory")
    }

    @Test func theNewestGoesFirstOnlyWhereTheOldestHasWaitedTooLong() {
        var line = WaitingLine()
        let old = line.add("a", weight: 1, .critical, cost: 1, since: at(1), latest: .distantFuture)
        let new = line.add("a", weight: 1, .critical, cost: 1, since: at(1.5), latest: .distantFuture)
        let second = Int64(1_000_000_000)
        #expect(line.next(newestFirstAfter: second, at: at(2)) == old)
        #expect(line.next(newestFirstAfter: second, at: at(2.1)) == new)
    }

    @Test func theVictimIsTheNewestOfWhoHasTheMostOfWhatMattersLeast() {
        var line = WaitingLine()
        func add(_ key: String, _ criticality: Criticality, weight: Double = 1) -> Int {
            line.add(key, weight: weight, criticality, cost: 1, since: at(1), latest: .distantFuture)
        }
        func victim(_ key: String, _ criticality: Criticality) -> Int? {
            line.victim(newestFirstAfter: .max, newcomer: (key, 1, criticality), at: at(1))
        }
        #expect(victim("a", .critical) == nil)
        _ = add("a", .critical)
        let second = add("a", .critical)
        _ = add("b", .critical)
        // Its own tenant would have the most with it, or as many: it is the one to go.
        #expect(victim("a", .critical) == nil)
        #expect(victim("b", .critical) == nil)
        #expect(victim("c", .critical) == second)
        #expect(victim("c", .sheddable) == nil)
        let low = add("c", .sheddable)
        #expect(victim("a", .critical) == low)
        #expect(victim("a", .sheddablePlus) == low)
        // A tenant of a larger weight may have more.
        line.remove(low, letThrough: false)
        for _ in 0..<3 { _ = add("heavy", .critical, weight: 10) }
        #expect(victim("c", .critical) == second)
    }

    @Test func tenantsThatAreGoneTakeNoMemory() {
        var line = WaitingLine()
        _ = line.add("stays", weight: 1, .critical, cost: 1, since: at(1), latest: .distantFuture)
        for number in 0..<10_000 {
            let id = line.add("\(number)", weight: 1, .criticalPlus, cost: 1, since: at(1), latest: .distantFuture)
            line.remove(id, letThrough: false)
            line.free(id)
        }
        #expect(line.places.count == 2)
        #expect(line.laneCount < 200)
    }
}
