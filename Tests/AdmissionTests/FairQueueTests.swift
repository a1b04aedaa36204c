import SpillwayCore
import SpillwayTesting
import Testing

@testable import Admission

/// A line before gates, in virtual time.
@Suite(.timeLimit(.minutes(10))) struct FairQueueTests {
    /// The names of calls in the order in which they began.
    private final class Log: Sendable {
        private let names = Locked<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    private func queue(
        _ capacity: Int = 100, longest: Duration = .seconds(60),
        _ change: (inout FairQueue.Configuration) -> Void = { _ in }
    ) throws -> FairQueue { try FairQueue("queue", .init(capacity: capacity, longest: longest, change)) }

    /// Starts a call that begins to wait before the next one is started.
    private func start(
        _ name: String, _ queue: FairQueue, _ gate: any Gate, _ simulation: Simulation, _ log: Log = Log(),
        _ criticality: Criticality? = nil, takes: Duration = .seconds(1), until deadline: Instant? = nil
    ) async throws -> Task<Ended, any Error> {
        let task = simulation.start(name) {
            await queue.outcome(
                Call(key: String(name.prefix(1)), criticality: criticality), through: gate, until: deadline,
                simulation.time, takes: takes
            ) { _ in log.add(name) }
        }
        try await simulation.time.sleep(for: .milliseconds(1))
        return task
    }

    @Test func callsOfOneTenantGoInTheOrderOfTheirComing() throws {
        let simulation = Simulation(seed: 1), queue = try queue(), log = Log()
        let places = Places(1, queue)
        try simulation.run {
            var calls: [Task<Ended, any Error>] = []
            for number in 1...5 { calls.append(try await start("a\(number)", queue, places, simulation, log)) }
            for call in calls { #expect(try await call.value == .answered) }
        }
        #expect(log.all == ["a1", "a2", "a3", "a4", "a5"])
        #expect(queue.standing(at: simulation.time.now).passed == 4)
    }

    @Test func tenantsTakeTurnsAndWhatMattersMoreGoesFirst() throws {
        let simulation = Simulation(seed: 1), queue = try queue(), log = Log()
        let places = Places(1, queue)
        try simulation.run {
            var calls = [try await start("a0", queue, places, simulation, log)]
            for number in 1...3 { calls.append(try await start("a\(number)", queue, places, simulation, log)) }
            for number in 1...3 { calls.append(try await start("b\(number)", queue, places, simulation, log)) }
            calls.append(try await start("c1", queue, places, simulation, log, .criticalPlus))
            calls.append(try await start("d1", queue, places, simulation, log, .sheddable))
            for call in calls { #expect(try await call.value == .answered) }
        }
        #expect(log.all == ["a0", "c1", "a1", "b1", "a2", "b2", "a3", "b3", "d1"])
    }

    @Test func whenItIsFullTheLeastMustGo() throws {
        let simulation = Simulation(seed: 1), queue = try queue(3), places = Places(1, queue)
        try simulation.run {
            let first = try await start("a0", queue, places, simulation)
            let greedy = [
                try await start("a1", queue, places, simulation), try await start("a2", queue, places, simulation),
                try await start("a3", queue, places, simulation),
            ]
            // Others make room among their own.
            #expect(try await start("a4", queue, places, simulation).value == .refused(.queueFull))
            let other = try await start("b1", queue, places, simulation)
            #expect(try await greedy[2].value == .refused(.queueFull))
            #expect(try await start("c1", queue, places, simulation, Log(), .sheddable).value == .refused(.queueFull))
            let high = try await start("c2", queue, places, simulation, Log(), .criticalPlus)
            #expect(try await greedy[1].value == .refused(.queueFull))
            for call in [first, greedy[0], other, high] { #expect(try await call.value == .answered) }
        }
        #expect(queue.standing(at: simulation.time.now).refused == [.queueFull: 4])
    }

    @Test func waitsEndWhenTheyAreTooLong() throws {
        let simulation = Simulation(seed: 1)
        let queue = try queue(longest: .seconds(5)) { $0.longestByCriticality = [.sheddable: .seconds(2)] }
        let places = Places(1, queue), time = simulation.time
        try simulation.run {
            let long = try await start("a", queue, places, simulation, takes: .seconds(100)), began = time.now
            let patient = try await start("b", queue, places, simulation)
            let low = try await start("c", queue, places, simulation, Log(), .sheddable)
            let hasty = try await start("d", queue, places, simulation, until: began.advanced(by: .seconds(1)))
            #expect(try await hasty.value == .refused(.deadlineExceeded))
            #expect(began.duration(to: time.now) == .seconds(1))
            #expect(try await low.value == .refused(.queuedTooLong))
            #expect(began.duration(to: time.now) == .milliseconds(2_001))
            #expect(queue.pressure(at: time.now) > 0.4 && queue.pressure(at: time.now) < 0.41)
            #expect(try await patient.value == .refused(.queuedTooLong))
            #expect(began.duration(to: time.now) == .seconds(5))
            let late = try await start("e", queue, places, simulation, until: time.now)
            #expect(try await late.value == .refused(.deadlineExceeded))
            long.cancel()
            _ = await long.result
        }
    }

    @Test func whoeverGoesAwayMakesRoomForTheNext() throws {
        let simulation = Simulation(seed: 1), queue = try queue(), log = Log()
        let places = Places(1, queue)
        try simulation.run {
            let first = try await start("a1", queue, places, simulation, log, takes: .seconds(10))
            let second = try await start("a2", queue, places, simulation, log)
            let third = try await start("a3", queue, places, simulation, log)
            second.cancel()
            #expect(await second.result.isCancelled)
            first.cancel()
            #expect(try await third.value == .answered)
            _ = await first.result
        }
        #expect(log.all == ["a1", "a3"])
        #expect(places.seen.free == 1)
    }

    @Test func tokensAreWaitedForAsLongAsTheyTake() throws {
        let simulation = Simulation(seed: 1), queue = try queue(), log = Log(), time = simulation.time
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1), burst: 2))
        try simulation.run {
            let began = time.now
            var calls: [Task<Ended, any Error>] = []
            for number in 1...4 {
                calls.append(try await start("a\(number)", queue, bucket, simulation, log, takes: .zero))
            }
            for call in calls { #expect(try await call.value == .answered) }
            // The third when one unit has dripped in since the first, the fourth a second later: on time, not by polling.
            #expect(began.duration(to: time.now) == .seconds(2))
        }
        #expect(log.all == ["a1", "a2", "a3", "a4"])
    }

    @Test func whatWaitingDoesNotMendIsRefusedAtOnce() throws {
        let simulation = Simulation(seed: 1), queue = try queue()
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1), burst: 2, unit: .tokens))
        try simulation.run {
            let call = Call(tokens: .estimate(input: 3, maxOutput: 0)), began = simulation.time.now
            #expect(
                await queue.outcome(call, through: bucket, simulation.time, takes: .zero) == .refused(.exceedsBurst))
            #expect(simulation.time.now == began)
        }
    }

    @Test func thePlacesOfRefusedGatesAreGivenBack() throws {
        let simulation = Simulation(seed: 1), queue = try queue(), places = Places(1, queue)
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1), burst: 1))
        try simulation.run {
            for _ in 0..<3 {
                try await queue.run(through: places, bucket, time: simulation.time) {
                    #expect(places.seen.free == 0)
                }
                #expect(places.seen.free == 1)
            }
        }
    }

    @Test func aStandingQueueIsCutShort() throws {
        let simulation = Simulation(seed: 1)
        let queue = try queue { $0.discard = .codel(target: .milliseconds(500), interval: .seconds(1)) }
        let places = Places(1, queue)
        try simulation.run {
            var calls: [Task<Ended, any Error>] = []
            for number in 1...30 { calls.append(try await start("a\(number)", queue, places, simulation)) }
            var endings: [Ended: Int] = [:]
            for call in calls { endings[try await call.value, default: 0] += 1 }
            #expect((endings[.refused(.loadShed)] ?? 0) > 5)
            #expect((endings[.answered] ?? 0) > 5)
        }
    }

    @Test func noCallCostsNothing() {
        for resource in [FairQueue.Resource.calls(64), .tokens(1_000), .cacheBlocks(100)] {
            let configuration = FairQueue.Configuration { $0.resources = [resource] }
            #expect(configuration.cost(of: Call()) > 0 && configuration.cost(ofTokens: 0) > 0)
        }
    }

    @Test func badSettingsAreRefusedAndTheOldStay() throws {
        let queue = try queue()
        let changes: [@Sendable (inout FairQueue.Configuration) -> Void] = [
            { $0.capacity = 0 }, { $0.longest = .zero }, { $0.longestByCriticality = [.critical: .seconds(-1)] },
            { $0.weights = ["a": 0] }, { $0.weights = ["a": .nan] }, { $0.resources = [] },
            { $0.resources = [.tokens(0)] }, { $0.order = .adaptiveLIFO(after: .seconds(-1)) },
            { $0.discard = .codel(target: .zero, interval: .seconds(1)) },
            { $0.discard = .codel(target: .seconds(1), interval: .zero) },
        ]
        for change in changes {
            #expect(throws: ConfigurationError.self) { try queue.update(.init(change)) }
        }
        #expect(queue.configuration.capacity == 100)
        #expect(throws: ConfigurationError.self) { _ = try FairQueue("") }
        try queue.update(.init(capacity: 7))
        #expect(queue.configuration.capacity == 7)
    }
}

extension Result<Ended, any Error> {
    fileprivate var isCancelled: Bool {
        switch self {
        case .success(let ended): ended == .cancelled
        case .failure(let error): error is CancellationError
        }
    }
}
