import Admission
import SpillwayCore
import SpillwayTesting
import Testing

/// What holds in every order in which callers come, wait, go away and end.
@Suite(.timeLimit(.minutes(10))) struct FairQueuePropertyTests {
    private static let orders: [FairQueue.Order] = [.fifo, .adaptiveLIFO(after: .seconds(1))]
    private static let discards: [FairQueue.Discard] = [
        .never, .codel(target: .milliseconds(300), interval: .seconds(1)),
    ]

    @Test func noPlaceStaysEmptyAndNobodyIsForgotten() async throws {
        try await Simulation.check(seeds: 0..<400) { simulation in
            let random = simulation.random, time = simulation.time
            func upTo(_ limit: UInt64) -> Int { Int(random.next(through: limit)) }
            let queue = try FairQueue(
                "queue",
                .init(capacity: 1 + upTo(20), longest: .milliseconds(500 + upTo(5_000))) {
                    $0.order = Self.orders[upTo(1)]
                    $0.discard = Self.discards[upTo(1)]
                    $0.longestByCriticality = [.sheddable: .milliseconds(1 + upTo(1_000))]
                    $0.weights = ["0": 3]
                })
            let places = Places(1 + upTo(4), queue)
            let waits = Waits()
            let calls = (0..<60).map { _ in
                let call = Call(
                    tokens: .estimate(input: upTo(1_000), maxOutput: 100), key: "\(upTo(3))",
                    criticality: Criticality.allCases[upTo(3)])
                let comes = Duration.milliseconds(upTo(5_000)), takes = Duration.milliseconds(upTo(1_500))
                let goes = upTo(4) == 0 ? Duration.milliseconds(upTo(2_000)) : nil
                let patience = upTo(3) == 0 ? Duration.milliseconds(upTo(1_500)) : nil
                return simulation.start("call") { () -> Ended in
                    try await time.sleep(for: comes)
                    let came = time.now
                    return await withTaskGroup(of: Ended?.self) { group in
                        group.addTask {
                            await queue.outcome(
                                call, through: places, until: patience.map { came.advanced(by: $0) }, time, takes: takes
                            ) { began in waits.add(call.criticality!, came.duration(to: began)) }
                        }
                        group.addTask {
                            if let goes { try? await time.sleep(for: goes) }
                            return nil
                        }
                        var ended: Ended?
                        for await end in group {
                            if end == nil, goes != nil { group.cancelAll() }
                            ended = ended ?? end
                        }
                        return ended!
                    }
                }
            }
            var endings: [Ended: Int] = [:]
            for call in calls { endings[try await call.value, default: 0] += 1 }
            places.look(at: time.now)
            let seen = places.seen, standing = queue.standing(at: time.now)
            func require(_ holds: Bool, _ what: String) throws { if !holds { throw Broken(what: what) } }
            try require(seen.idle == .zero, "a place was empty for \(seen.idle) while calls waited")
            try require(seen.free >= 1 && standing.waiting.isEmpty, "\(standing.waiting) wait at the end")
            try require(endings.values.reduce(0, +) == 60 && endings[.failed] == nil, "\(endings)")
            // Who is tried: at the coming, once for each place that is freed, and then the one behind.
            try require(seen.asked <= 60 * 4, "\(seen.asked) tries: too many woke for one place")
            for (criticality, wait) in waits.all {
                let longest = queue.configuration.longestByCriticality[criticality] ?? queue.configuration.longest
                try require(wait <= longest, "\(criticality) waited for \(wait)")
            }
        }
    }

    private final class Waits: Sendable {
        private let contents = Locked<[(Criticality, Duration)]>([])
        var all: [(Criticality, Duration)] { contents.withLock { $0 } }
        func add(_ criticality: Criticality, _ wait: Duration) { contents.withLock { $0.append((criticality, wait)) } }
    }

    private struct Broken: Error {
        let what: String
    }

    @Test func realThreadsLeaveNothingBehind() async throws {
        let queue = try FairQueue("queue", .init(capacity: 10_000, longest: .seconds(3_600)))
        let places = Places(3, queue), calls = 2_000
        let answered = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<calls {
                group.addTask {
                    let call = Call(key: "\(number % 7)", criticality: Criticality.allCases[number % 4])
                    return (try? await queue.run(call, through: places) { await Task.yield() }) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(answered == calls)
        #expect(places.seen.free == 3 && places.seen.most <= 3)
        #expect(queue.standing(at: SystemTime().now).waiting.isEmpty)
    }
}
