import SpillwayCore
import SpillwayTesting
import Synchronization
import Testing

@testable import ModelRouting

@Suite struct SingleFlightTests {
    private struct Failed: OutcomeError, Equatable {
        var outcome: Outcome
    }

    private static func cache(stale: Double = 0) throws -> ExactCache<Int> {
        try ExactCache(.init(bytes: 1 << 20, ttl: .seconds(10), staleIfError: .seconds(stale))) { _ in 0 }
    }

    /// Counts how often an answer is made, and takes a second for each.
    private final class Maker: Sendable {
        let count = Atomic(0)
        let underWay = Atomic(0)
        let simulation: Simulation
        let failure: Failed?

        init(_ simulation: Simulation, _ failure: Failed? = nil) {
            (self.simulation, self.failure) = (simulation, failure)
        }

        func make() async throws -> Int {
            let number = count.add(1, ordering: .relaxed).newValue
            #expect(underWay.add(1, ordering: .relaxed).newValue == 1)
            defer { underWay.subtract(1, ordering: .relaxed) }
            try await simulation.time.sleep(for: .milliseconds(500))
            try await simulation.time.sleep(for: .milliseconds(500))
            if let failure { throw failure }
            return number
        }
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `of many calls one makes the answer, and the others get it`(seed: UInt64) throws {
        let simulation = Simulation(seed: seed), cache = try Self.cache(), maker = Maker(simulation)
        let origins = try simulation.run {
            let calls = (0..<20).map { number in
                simulation.start("call \(number)") {
                    try await simulation.time.sleep(for: .milliseconds(number * 100))
                    return try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make)
                }
            }
            var origins: [CacheOrigin] = []
            for call in calls {
                let answer = try await call.value
                #expect(answer.value == 1)
                origins.append(answer.origin)
            }
            return origins
        }
        #expect(maker.count.load(ordering: .relaxed) == 1)
        #expect(origins.count { $0 == .made } == 1 && origins.contains(.joined) && origins.contains(.fresh))
        #expect(cache.flights.counts == (0, 0))
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `whoever is cancelled, at whatever await, disturbs nobody`(seed: UInt64) throws {
        for place in 0..<8 {
            for cancelled in 0..<3 {
                let simulation = Simulation(seed: seed), cache = try Self.cache(), maker = Maker(simulation)
                try simulation.run {
                    let calls = (0..<3).map { number in
                        simulation.start("call \(number)", cancelledAtAwait: number == cancelled ? place : nil) {
                            try await simulation.time.sleep(for: .milliseconds(number))
                            return try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make)
                        }
                    }
                    for (number, call) in calls.enumerated() {
                        do {
                            let answer = try await call.value
                            #expect(answer.value <= 2)
                        } catch {
                            #expect(number == cancelled && error is CancellationError, "seed \(seed): \(error)")
                        }
                    }
                }
                #expect(cache.flights.counts == (0, 0), "seed \(seed), await \(place) of \(cancelled)")
                #expect(maker.count.load(ordering: .relaxed) <= 2)
            }
        }
    }

    @Test func `one that waits and is cancelled leaves at once`() throws {
        let simulation = Simulation(seed: 1), cache = try Self.cache(), maker = Maker(simulation)
        try simulation.run {
            let first = simulation.start {
                try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make)
            }
            try await simulation.time.sleep(for: .milliseconds(1))
            let second = simulation.start {
                try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make)
            }
            try await simulation.time.sleep(for: .milliseconds(1))
            #expect(cache.flights.counts == (1, 1))
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            #expect(simulation.time.now < Instant(nanoseconds: 1_100_000_000))
            #expect(try await first.value.value == 1)
        }
    }

    @Test(arguments: [Outcome.Cause.serverError, .rateLimited, .invalidRequest, .contentFiltered, .timeout])
    func `a failure of the request or the target goes to all who wait`(cause: Outcome.Cause) throws {
        let failure = Failed(outcome: .of(cause))
        let simulation = Simulation(seed: 3), cache = try Self.cache(), maker = Maker(simulation, failure)
        try simulation.run {
            let calls = (0..<10).map { _ in
                simulation.start { try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make) }
            }
            for call in calls { await #expect(throws: failure) { try await call.value } }
        }
        #expect(maker.count.load(ordering: .relaxed) == 1)
        #expect(cache.flights.counts == (0, 0))
    }

    @Test(arguments: [Outcome.Cause.rejected, .timeout, .authentication, .quotaExhausted, .spendLimit])
    func `a failure that concerned one caller alone lets the next one try`(cause: Outcome.Cause) throws {
        let simulation = Simulation(seed: 3), cache = try Self.cache()
        let bad = Maker(simulation, Failed(outcome: .neutral(cause))), good = Maker(simulation)
        try simulation.run {
            let first = simulation.start {
                try await cache.value(for: key("a"), time: simulation.time, orMake: bad.make)
            }
            try await simulation.time.sleep(for: .milliseconds(1))
            let others = (0..<5).map { _ in
                simulation.start { try await cache.value(for: key("a"), time: simulation.time, orMake: good.make) }
            }
            await #expect(throws: Failed.self) { try await first.value }
            for other in others {
                let answer = try await other.value
                #expect(answer.value == 1)
            }
        }
        #expect(good.count.load(ordering: .relaxed) == 1)
        #expect(cache.flights.counts == (0, 0))
    }

    @Test func `requests do not wait for other requests or other tenants`() throws {
        let simulation = Simulation(seed: 5), cache = try Self.cache()
        try simulation.run {
            let keys = [key("a"), key("b"), key("a", "globex"), key("a", nil)]
            let calls = keys.map { one in
                let maker = Maker(simulation)
                return simulation.start { try await cache.value(for: one, time: simulation.time, orMake: maker.make) }
            }
            for call in calls {
                let answer = try await call.value
                #expect(answer.origin == .made)
            }
            #expect(simulation.time.now == Instant(nanoseconds: 2_000_000_000))
        }
    }

    @Test func `ten thousand who wait`() throws {
        let simulation = Simulation(seed: 7), cache = try Self.cache(), maker = Maker(simulation)
        try simulation.run {
            await withTaskGroup(of: CacheOrigin?.self) { group in
                for _ in 0..<10_000 {
                    group.addTask {
                        try? await cache.value(for: key("a"), time: simulation.time, orMake: maker.make).origin
                    }
                }
                var joined = 0
                for await origin in group where origin == .joined { joined += 1 }
                #expect(joined == 9_999)
            }
        }
    }

    @Test func `an answer that is too large to keep still goes to all who wait for it`() throws {
        let simulation = Simulation(seed: 9), maker = Maker(simulation)
        let cache = try ExactCache<Int>(.init(bytes: 1_024)) { _ in 5_000 }
        try simulation.run {
            let calls = (0..<3).map { _ in
                simulation.start { try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make) }
            }
            for call in calls {
                let answer = try await call.value
                #expect(answer.value == 1)
            }
        }
        #expect(cache.counts.entries == 0)
    }

    // MARK: - Stale while down

    /// Asks for an answer that was stored at 0, at `seconds`, while the call fails with `outcome`.
    private func ask(
        _ cache: ExactCache<Int>, at seconds: Double, failing outcome: Outcome
    ) async throws -> CachedAnswer<Int> {
        try await cache.value(for: key("a"), time: ManualTime(at(seconds))) { throw Failed(outcome: outcome) }
    }

    @Test func `while the target is down, what is too old is given, and says so`() async throws {
        let cache = try Self.cache(stale: 50)
        cache.store(7, for: key("a"), at: at(0))
        #expect(try await ask(cache, at: 9, failing: .of(.serverError)).origin == .fresh)
        for outcome in [
            Outcome.of(.serverError), .of(.timeout), .failure(.rateLimited), .neutral(.timeout), .of(.rejected),
        ] {
            let answer = try await ask(cache, at: 59, failing: outcome)
            #expect(answer.value == 7 && answer.origin == .stale && answer.age == .seconds(59) && answer.isSaved)
        }
        for cause in [Outcome.Cause.invalidRequest, .contentFiltered, .contextTooLong, .cancelled, .spendLimit] {
            await #expect(throws: Failed(outcome: .of(cause))) { try await ask(cache, at: 30, failing: .of(cause)) }
        }
        await #expect(throws: Failed.self) { try await ask(cache, at: 60, failing: .of(.serverError)) }
        #expect(cache.counts.misses == 11 && cache.counts.stale == 5 && cache.counts.hits == 1)
    }

    @Test func `which causes are enough can be said`() async throws {
        let cache = try Self.cache(stale: 50)
        cache.store(7, for: key("a"), at: at(0))
        var configuration = cache.configuration
        configuration.staleCauses = [.spendLimit]
        try cache.update(configuration, at: at(0))
        #expect(try await ask(cache, at: 30, failing: .of(.spendLimit)).origin == .stale)
        await #expect(throws: Failed.self) { try await ask(cache, at: 30, failing: .of(.rejected)) }
    }

    @Test func `a breaker that is open counts as down`() async throws {
        let cache = try Self.cache(stale: 50)
        cache.store(7, for: key("a"), at: at(0))
        let answer = try await cache.value(for: key("a"), time: ManualTime(at(30))) {
            throw Rejection(by: GateName(registering: "breaker"), reason: .breakerOpen)
        }
        #expect(answer.origin == .stale)
    }

    @Test func `those who wait for a call that fails get what is too old, too`() throws {
        let simulation = Simulation(seed: 11), cache = try Self.cache(stale: 50)
        let maker = Maker(simulation, Failed(outcome: .of(.overloaded)))
        cache.store(7, for: key("a"), at: at(-20))
        try simulation.run {
            let calls = (0..<5).map { _ in
                simulation.start { try await cache.value(for: key("a"), time: simulation.time, orMake: maker.make) }
            }
            for call in calls {
                let answer = try await call.value
                #expect(answer.origin == .stale)
            }
        }
        #expect(maker.count.load(ordering: .relaxed) == 1)
    }

    @Test func `a call that succeeds again makes the answer fresh`() async throws {
        let cache = try Self.cache(stale: 50), time = ManualTime(at(30))
        cache.store(7, for: key("a"), at: at(0))
        let made = try await cache.value(for: key("a"), time: time) { 8 }
        #expect(made.value == 8 && made.origin == .made && !made.isSaved)
        #expect(cache.lookup(key("a"), at: at(39))?.value == 8)
    }
}
