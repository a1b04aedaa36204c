import Admission
import SpillwayCore
import Testing

@Suite struct PartitionTests {
    private func call(_ key: String) -> Call { Call(key: key) }

    @Test func withinItsShareAPartitionAlwaysPasses() throws {
        let limit = try makeLimit(.fixed(10), partitions: .byKey(["a": 0.5, "b": 0.3]))
        // The others take all there is.
        let others = limit.fill(call("c"))
        #expect(others.count == 10)
        #expect(limit.fill(call("a")).count == 5)
        #expect(limit.fill(call("b")).count == 3)
        #expect(limit.inFlight == 18)
        #expect(limit.take(call("a")) == nil && limit.take(call("c")) == nil && limit.take() == nil)
    }

    @Test func withoutLendingTheLimitIsNeverExceeded() throws {
        let limit = try makeLimit(.fixed(10), partitions: .byKey(["a": 0.5, "b": 0.3], lending: 0))
        #expect(limit.fill(call("c")).count == 2)
        #expect(limit.fill(call("a")).count == 5)
        #expect(limit.fill(call("b")).count == 3)
        #expect(limit.inFlight == 10)
    }

    @Test func halfOfWhatIsNotInUseCanBeLent() throws {
        let limit = try makeLimit(.fixed(10), partitions: .byKey(["a": 0.6], lending: 0.5))
        #expect(limit.fill(call("c")).count == 7)
        #expect(limit.fill(call("a")).count == 6)
    }

    @Test func byHowMuchACallMatters() async throws {
        let limit = try makeLimit(
            .fixed(10), partitions: .byCriticality([.critical: 0.6, .criticalPlus: 0.2], lending: 0))
        #expect(limit.fill(Call(criticality: .sheddable)).count == 2)
        #expect(limit.fill(Call()).count == 6, "critical unless it says otherwise")
        await Criticality.criticalPlus.bound { #expect(limit.fill().count == 2) }
        #expect(limit.inFlight == 10)
    }

    @Test func placesComeBackToTheirPartition() throws {
        let limit = try makeLimit(.fixed(4), partitions: .byKey(["a": 0.5], lending: 0))
        var held = limit.fill(call("a"))
        #expect(held.count == 4)
        let outcomes: [Outcome?] = [.success, nil, .neutral(.cancelled), .failure(.timeout)]
        for outcome in outcomes {
            held.removeFirst().settle(outcome, Measurements(), at: at(2))
            held.append(try #require(limit.take(call("a"))))
        }
        for permit in held { permit.settle(.success, at: at(3)) }
        #expect(limit.inFlight == 0 && limit.fill(call("b")).count == 2)
    }

    @Test func sharesCanChangeWithCallsInFlight() throws {
        let limit = try makeLimit(.fixed(10), partitions: .byKey(["a": 0.5], lending: 0))
        let held = limit.fill(call("a"), most: 4)
        try limit.update(.init(.fixed(10), partitions: .byKey(["a": 0.6], lending: 0)), at: at(1))
        #expect(limit.fill(call("b")).count == 4, "two places of the share are not in use")
        try limit.update(.init(.fixed(10), partitions: .byKey(["c": 0.5], lending: 0)), at: at(1))
        for permit in held { permit.settle(.success, at: at(2)) }
        #expect(limit.inFlight == 4)
        #expect(limit.fill(call("c")).count == 6)
        try limit.update(.init(.fixed(20)), at: at(3))
        #expect(limit.fill(call("a")).count == 10)
    }

    @Test func inShadowPartitionsAreCountedToo() throws {
        let limit = try ConcurrencyLimit(
            "limit", .init(.fixed(2), partitions: .byKey(["a": 0.5], lending: 0), shadow: true))
        let held = limit.fill(call("b"), most: 6)
        #expect(held.count == 6)
        for permit in held { permit.settle(.success, at: at(1)) }
        #expect(limit.inFlight == 0)
    }

    /// Any order of calls of three partitions against a model that counts them one by one.
    @Test func anyInterleavingAgainstAModel() throws {
        forSeeds(300) { seed, random in
            let lending = [0.0, 0.5, 1][Int(random.next() % 3)]
            let shares = ["a": 0.4, "b": 0.3]
            guard let limit = try? makeLimit(.fixed(20), partitions: .byKey(shares, lending: lending)) else { return }
            var held: [String: [RawPermit]] = ["a": [], "b": [], "c": []]
            for _ in 0..<300 {
                let key = ["a", "b", "c"][Int(random.next() % 3)]
                let count = { (key: String) in held[key]?.count ?? 0 }
                if random.next() % 3 == 0, count(key) > 0 {
                    held[key]?.removeLast().settle(.success, at: at(2))
                } else {
                    let total = held.values.reduce(0) { $0 + $1.count }
                    let own = Int(20 * (shares[key] ?? 0) + 0.001)
                    let unused = ["a": 8, "b": 6].filter { $0.key != key }.reduce(0) {
                        $0 + max(0, $1.value - count($1.key))
                    }
                    let bound = 20 - Int(((1 - lending) * Double(unused)).rounded(.up))
                    let passes = count(key) < own || total < bound
                    let permit = limit.take(call(key))
                    #expect((permit != nil) == passes, "seed \(seed)")
                    if let permit { held[key]?.append(permit) }
                }
                let total = held.values.reduce(0) { $0 + $1.count }
                #expect(limit.inFlight == total && (lending > 0 || total <= 20), "seed \(seed)")
            }
        }
    }

    @Test func manyCallersKeepTheirShares() async throws {
        let limit = try makeLimit(.fixed(16), partitions: .byKey(["0": 0.25, "1": 0.25, "2": 0.25], lending: 0))
        let refused = await sum(over: 64) { task in
            let key = "\(task % 4)"
            // Four of a partition at most are in flight at once: tasks take turns in a partition of their own.
            guard task < 4 || task % 4 == 3 else { return 0 }
            var refused = 0
            for _ in 0..<2_000 {
                guard let permit = limit.take(call(key)) else {
                    if key != "3" { refused += 1 }
                    continue
                }
                if limit.inFlight > 16 { refused += 1 }
                permit.settle(.success, at: at(2))
            }
            return refused
        }
        #expect(refused == 0 && limit.inFlight == 0)
    }
}
