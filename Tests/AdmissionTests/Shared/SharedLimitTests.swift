import Admission
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct SharedLimitTests {
    private static let budget = SharedLimit.Configuration(.amount(1_000, per: .seconds(60)))

    /// Runs `body` with a limit that talks to a store of its own, and returns the store.
    @discardableResult
    private func run(
        _ configuration: SharedLimit.Configuration = budget, cost: SharedLimit.Cost? = nil,
        observer: (any Observer)? = nil, seed: UInt64 = 1,
        _ body: @escaping @Sendable (SharedLimit, Simulation) async throws -> Void
    ) throws -> Network {
        let simulation = Simulation(seed: seed)
        let network = Network(simulation, faults: 0)
        try simulation.run {
            let limit = try SharedLimit(
                "limit", configuration, store: Line(network), cost: cost, observer: observer, time: simulation.time,
                random: simulation.random)
            let crew = Crew(simulation)
            crew.start("run") { try await limit.run() }
            do { try await body(limit, simulation) } catch {
                await crew.end()
                throw error
            }
            await crew.end()
        }
        return network
    }

    private func refusal(_ limit: SharedLimit, _ cost: Int64, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try limit.admit(cost: cost, at: now).settle(.success, at: now)
            return nil
        } catch { return error }
    }

    @Test func whoeverWaitsGetsItsUnitsAndWhatIsLeftComesBack() throws {
        let network = try run { limit, simulation in
            let permit = try await limit.acquire(cost: 100, until: simulation.time.now.advanced(by: .seconds(1)))
            permit.settle(.success, at: simulation.time.now)
        }
        #expect(network.allOut == 0, "what was left came back")
        #expect(network.contents.withLock { $0.granted } >= 100)
    }

    @Test func withoutRunThereIsNoStore() throws {
        let limit = try SharedLimit("limit", Self.budget, store: MemoryLeaseStore())
        #expect(limit.isStoreAway)
        #expect(refusal(limit, 1, at: at(1))?.reason == .storeUnavailable)
        #expect(refusal(limit, 1, at: at(1))?.retryAfter == nil, "nobody knows when it will run")
        #expect(refusal(limit, 1_001, at: at(1))?.reason == .spendLimit)
        #expect(refusal(limit, 1_001, at: at(1))?.retryAfter == nil)
        #expect(refusal(limit, 0, at: at(1)) == nil && refusal(limit, -5, at: at(1)) == nil)
    }

    @Test func aLimitThatNobodyUsesCausesNoTraffic() throws {
        let network = try run { limit, simulation in
            try await simulation.seconds(3_000)
            try demand(!limit.isStoreAway, "it has said that it is there")
        }
        #expect(network.contents.withLock { $0.requests } <= 2)
    }

    @Test func anIdleProcessGivesBackWhatItHolds() throws {
        try run(.init(.rate(.perSecond(100), burst: 100))) { limit, simulation in
            try await simulation.seconds(1)
            try await limit.acquire(cost: 20, until: simulation.time.now.advanced(by: .seconds(3)))
                .void(at: simulation.time.now)
            try demand(limit.available(at: simulation.time.now) >= 20, "a void gives back")
            try await simulation.seconds(10)
            try demand(limit.available(at: simulation.time.now) == 0, "it holds what it does not use")
        }
    }

    @Test func aSliceIsNotSpentAfterItsLife() throws {
        try run(.init(.amount(1_000, per: .seconds(86_400)), life: .seconds(2))) { limit, simulation in
            let time = simulation.time
            try await limit.acquire(cost: 100, until: time.now.advanced(by: .seconds(1))).void(at: time.now)
            let later = time.now.advanced(by: .seconds(2))
            try demand(limit.available(at: time.now) >= 100, "there is a slice")
            try demand(limit.available(at: later) == 0, "it is over")
            let refused = try? limit.admit(cost: 1, at: later).settle(.success, at: later)
            try demand(refused == nil, "spent after its life")
        }
    }

    @Test func whatWasUsedIsSettled() throws {
        try run(.init(.amount(1_000, per: .seconds(60)), unit: .tokens)) { limit, simulation in
            let time = simulation.time
            try await limit.acquire(cost: 450, until: time.now.advanced(by: .seconds(1))).void(at: time.now)
            let before = limit.available(at: time.now)
            let call = Call(tokens: .estimate(input: 100, maxOutput: 100))
            try limit.admit(call, at: time.now)
                .settle(.success, Measurements(usage: Usage(input: 100, output: 20)), at: time.now)
            try demand(limit.available(at: time.now) == before - 120, "less than estimated comes back")
            try limit.admit(call, at: time.now)
                .settle(.success, Measurements(usage: Usage(input: 100, output: 150)), at: time.now)
            try demand(limit.available(at: time.now) == before - 370, "more than estimated is charged")
            try demand(limit.state.isMetered, "a policy tells it the use")
        }
    }

    @Test func aCostOfItsOwnCountsMoney() throws {
        let cost = SharedLimit.Cost({ Int64($0.tokens.total) * 3_000 }, used: { Int64($0.tokens) * 3_000 })
        try run(.init(.amount(6_000_000_000_000, per: .seconds(86_400))), cost: cost) { limit, simulation in
            let time = simulation.time
            // More than 32 bits of nano-dollars.
            let call = Call(tokens: .estimate(input: 1_000_000, maxOutput: 1_000_000))
            while (try? limit.admit(call, at: time.now).void(at: time.now)) == nil { try await simulation.seconds(0.1) }
            let before = limit.available(at: time.now)
            try limit.admit(call, at: time.now).settle(.success, at: time.now)
            try demand(limit.available(at: time.now) == before - 6_000_000_000, "charged as estimated")
        }
    }

    @Test func shadowModeReportsAndRefusesNothing() throws {
        let observer = RecordingObserver()
        let limit = try SharedLimit(
            "limit", .init(.rate(.perSecond(1), burst: 1), shadow: true), store: MemoryLeaseStore(), observer: observer)
        for _ in 0..<5 { #expect(refusal(limit, 1, at: at(1)) == nil) }
        #expect(observer.shadowed.map(\.reason) == Array(repeating: .storeUnavailable, count: 5))
    }

    @Test func aPermitMayOutliveItsLimit() throws {
        var permit: RawPermit?
        let network = Network(Simulation(seed: 1), faults: 0)
        try network.simulation.run { [network] in
            let limit = try SharedLimit("old", Self.budget, store: Line(network), time: network.simulation.time)
            let crew = Crew(network.simulation)
            crew.start("run") { try await limit.run() }
            let end = network.simulation.time.now.advanced(by: .seconds(1))
            try await limit.acquire(cost: 10, until: end).settle(.success, at: end)
            await crew.end()
        }
        do {
            let shadow = try SharedLimit(
                "gone", .init(.rate(.perSecond(1), burst: 1), shadow: true), store: MemoryLeaseStore())
            permit = try shadow.admit(cost: 1, at: at(1)).take()
        }
        let next = try SharedLimit("next", Self.budget, store: MemoryLeaseStore())
        permit?.settle(nil, at: at(2))
        #expect(next.available(at: at(2)) == 0)
    }

    @Test func runsOnceAtATime() throws {
        try run { limit, simulation in
            try await simulation.seconds(1)
            do {
                try await limit.run()
                throw Broken(description: "it ran twice")
            } catch is ConfigurationError {}
        }
    }

    @Test func anUpdateKeepsTheSliceAndRefusesAnotherKind() throws {
        try run { limit, simulation in
            let time = simulation.time
            try await limit.acquire(cost: 100, until: time.now.advanced(by: .seconds(1))).void(at: time.now)
            let before = limit.available(at: time.now)
            try limit.update(.init(.amount(2_000, per: .seconds(60)), unit: .calls), at: time.now)
            try demand(limit.available(at: time.now) == before, "the slice stays")
            for other in [
                SharedLimit.Limit.amount(2_000, per: .seconds(61)), .rate(.perSecond(1), burst: 1),
                .amount(0, per: .seconds(60)),
            ] {
                do {
                    try limit.update(.init(other), at: time.now)
                    throw Broken(description: "took over \(other)")
                } catch is ConfigurationError {}
            }
            try demand(limit.configuration.limit == .amount(2_000, per: .seconds(60)), "the last good one stays")
        }
    }

    @Test func badConfigurationsAreNamed() throws {
        let rate = SharedLimit.Limit.rate(.perSecond(1), burst: 1)
        let bad: [(SharedLimit.Configuration, String)] = [
            (.init(.rate(.perSecond(0), burst: 1)), "rate.units"), (.init(.rate(.perSecond(1), burst: 0)), "burst"),
            (.init(.rate(.perSecond(1), burst: 1 << 32)), "burst"), (.init(.amount(0, per: .seconds(1))), "amount"),
            (.init(.amount(1 << 54, per: .seconds(1))), "amount"),
            (.init(.amount(1, per: .milliseconds(1))), "amount.span"),
            (.init(.amount(1, per: .seconds(1)), fallback: .share(0.5)), "fallback"),
            (.init(rate, fallback: .share(0)), "fallback.share"),
            (.init(rate, fallback: .share(1.1)), "fallback.share"),
            (.init(rate, life: .milliseconds(1)), "life"), (.init(rate, life: .seconds(4_000)), "life"),
            (.init(rate, cover: .milliseconds(1)), "cover"), (.init(rate, cover: .seconds(6)), "cover"),
        ]
        for (configuration, field) in bad {
            let error = #expect(throws: ConfigurationError.self) {
                _ = try SharedLimit("limit", configuration, store: MemoryLeaseStore())
            }
            #expect(error?.field == field)
        }
        #expect(throws: ConfigurationError.self) { _ = try SharedLimit("", Self.budget, store: MemoryLeaseStore()) }
    }
}
