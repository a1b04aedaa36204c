import Admission
import SpillwayCore
import Synchronization
import Testing

@Suite struct LimitRaceTests {
    /// Never more than the limit in flight, and none at the end, whatever 64 callers do at once.
    @Test func neverMoreThanTheLimitUnderManyCallers() async throws {
        for rule in [ConcurrencyLimit.Limit.fixed(7), .adaptive(.gradient(samples: 250))] {
            let limit = try makeLimit(rule, in: 7...7)
            let most = Atomic<Int>(0), inside = Atomic<Int>(0)
            let passed = await sum(over: 64) { task in
                let random = RandomSource.seeded(UInt64(task) + 1)
                var passed = 0
                for step in 0..<3_000 {
                    guard let permit = limit.take(at: at(Double(step) / 1_000)) else { continue }
                    let now = inside.add(1, ordering: .relaxed).newValue
                    most.max(now, ordering: .relaxed)
                    inside.subtract(1, ordering: .relaxed)
                    passed += 1
                    let outcomes: [Outcome?] = [
                        .success, .failure(.timeout), .failure(.serverError), .neutral(.cancelled), nil,
                    ]
                    permit.settle(outcomes[Int(random.next() % 5)], at: at(Double(step) / 1_000 + 0.01))
                }
                return passed
            }
            #expect(most.load(ordering: .relaxed) <= 7 && passed > 0)
            #expect(limit.inFlight == 0)
        }
    }

    @Test func exactlyTheLimitPassesWhenAllAskAtOnce() async throws {
        for round in 1...200 {
            let limit = try makeLimit(.fixed(round))
            let passed = await sum(over: 64) { _ in limit.fill(most: 20).count }
            #expect(passed == min(round, 64 * 20))
            #expect(limit.inFlight == passed)
        }
    }

    /// Gates that come and go while calls of the last ones are still under way.
    @Test func livesDoNotMixUnderManyCallers() async throws {
        let wrong = await sum(over: 16) { task in
            var wrong = 0
            var left: [RawPermit] = []
            for round in 0..<300 {
                guard let limit = try? makeLimit(round % 2 == 0 ? .fixed(3) : .adaptive(.vegas()), in: 3...3) else {
                    return 1
                }
                let held = limit.fill()
                if held.count != 3 { wrong += 1 }
                for permit in left { permit.settle(.success, at: at(2)) }
                if limit.inFlight != 3 { wrong += 1 }
                held[0].settle(.success, at: at(2))
                if limit.inFlight != 2 { wrong += 1 }
                left = Array(held.dropFirst())
            }
            for permit in left { permit.settle(.success, at: at(2)) }
            return wrong
        }
        #expect(wrong == 0)
    }

    /// Limits that change while calls pass: never more than the highest, and exact at the end.
    @Test func changesOfTheLimitUnderManyCallers() async throws {
        let limit = try makeLimit(.fixed(4))
        let most = Atomic<Int>(0)
        _ = await sum(over: 9) { task in
            for step in 0..<3_000 {
                if task == 8 {
                    try? limit.update(.init(.fixed(step % 2 == 0 ? 2 : 4)), at: at(1))
                } else if let permit = limit.take() {
                    most.max(limit.inFlight, ordering: .relaxed)
                    permit.settle(.success, at: at(2))
                }
            }
            return 0
        }
        #expect(most.load(ordering: .relaxed) <= 4 && limit.inFlight == 0)
    }

    /// Any order of takes, settlements and changes, against a model that counts.
    @Test func anyInterleavingAgainstAModel() throws {
        try forSeeds(300) { seed, random in
            let limit = try makeLimit(.fixed(5))
            var bound = 5
            var held: [RawPermit] = []
            for _ in 0..<200 {
                switch random.next() % 8 {
                case 0...3:
                    let permit = limit.take()
                    #expect((permit != nil) == (held.count < bound), "seed \(seed)")
                    if let permit { held.append(permit) }
                case 4...6:
                    guard !held.isEmpty else { continue }
                    let index = Int(random.next() % UInt64(held.count))
                    held.remove(at: index).settle(random.next() % 2 == 0 ? .success : nil, at: at(2))
                default:
                    bound = 1 + Int(random.next() % 10)
                    let adaptive = random.next() % 2 == 0
                    let new: ConcurrencyLimit.Configuration =
                        adaptive
                        ? .init(.adaptive(.gradient(samples: 250)), in: bound...bound) : .init(.fixed(bound))
                    try limit.update(new, at: at(1))
                }
                #expect(limit.inFlight == held.count && limit.limit == bound, "seed \(seed)")
            }
        }
    }
}
