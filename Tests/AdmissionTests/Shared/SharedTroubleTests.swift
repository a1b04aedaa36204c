import Admission
import SpillwayCore
import SpillwayTesting
import Testing

/// What a shared limit does when its store is away, is new, hangs or lies.
@Suite struct SharedTroubleTests {
    /// A store that answers what a test says.
    private final class Scripted: LeaseStore {
        let requests = Locked<[LeaseRequest]>([])
        let answer: @Sendable (LeaseRequest, Int) async -> LeaseReply

        init(_ answer: @escaping @Sendable (LeaseRequest, Int) async -> LeaseReply) { self.answer = answer }

        func exchange(_ request: LeaseRequest) async throws(LeaseStoreError) -> LeaseReply {
            let count = requests.withLock { requests in
                requests.append(request)
                return requests.count
            }
            return await answer(request, count)
        }
    }

    private static let rate = SharedLimit.Limit.rate(.perSecond(10), burst: 1_000)

    /// Runs `body` beside a limit that talks to `store`, or to one in memory.
    private func run(
        _ configuration: SharedLimit.Configuration, _ store: ((Simulation) -> any LeaseStore)? = nil,
        cost: SharedLimit.Cost? = nil, runs: Bool = true,
        _ body: @escaping @Sendable (SharedLimit, Simulation) async throws -> Void
    ) throws {
        let simulation = Simulation(seed: 1)
        let store = store?(simulation) ?? MemoryLeaseStore(time: simulation.time)
        try simulation.run {
            let limit = try SharedLimit(
                "limit", configuration, store: store, cost: cost, time: simulation.time, random: simulation.random)
            let crew = Crew(simulation)
            if runs { crew.start("run") { try await limit.run() } }
            do { try await body(limit, simulation) } catch {
                await crew.end()
                throw error
            }
            await crew.end()
        }
    }

    private func refusal(_ limit: SharedLimit, _ cost: Int64, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try limit.admit(cost: cost, at: now).settle(.success, at: now)
            return nil
        } catch { return error }
    }

    @Test func theShareBeginsEmptyBeforeItRunsAndAfter() throws {
        try run(.init(Self.rate, fallback: .share(0.1)), runs: false) { limit, simulation in
            let time = simulation.time
            try demand(refusal(limit, 1, at: time.now)?.reason == .storeUnavailable, "it begins with a free burst")
            try await simulation.seconds(2)
            try demand(refusal(limit, 2, at: time.now) == nil, "at 1/s two have dripped in")
            let running = simulation.start("run") { try await limit.run() }
            // So long that a bucket that nobody empties is full again.
            try await simulation.seconds(2_000)
            try demand(!limit.isStoreAway, "it runs")
            running.cancel()
            _ = await running.result
            try demand(refusal(limit, 1, at: time.now)?.reason == .storeUnavailable, "it ends with a free burst")
        }
    }

    @Test func aNewStoreIsNotOneThatIsUsedUp() throws {
        let configuration = SharedLimit.Configuration(.amount(1_000, per: .seconds(86_400)))
        try run(
            configuration,
            { simulation in
                let store = MemoryLeaseStore(time: simulation.time)
                store.restart(keepingData: true)
                return store
            }
        ) { limit, simulation in
            let time = simulation.time
            try await simulation.seconds(0.1)
            _ = refusal(limit, 1, at: time.now)
            try await simulation.seconds(0.1)
            let refused = refusal(limit, 1, at: time.now)
            try demand(refused?.reason == .rateLimited, "\(String(describing: refused))")
            let wait = refused?.retryAfter ?? .zero
            try demand(wait > .seconds(4) && wait <= .seconds(5), "come back after \(wait)")
            try await limit.acquire(cost: 1_000, until: time.now.advanced(by: .seconds(8)))
                .settle(.success, at: time.now)
            _ = refusal(limit, 1, at: time.now)
            try await simulation.seconds(1)
            let last = refusal(limit, 1, at: time.now)
            try demand(last?.reason == .spendLimit, "now it is used up: \(String(describing: last))")
            try demand(last?.retryAfter ?? .zero > .seconds(80_000), "until the window ends")
        }
    }

    @Test func whatOthersHoldIsNotUsedUp() throws {
        var book = LeaseBook()
        func ask(_ holder: UInt64, _ number: Int64, _ want: Int64, spent: Int64 = 0, held: Int64 = 0) -> LeaseReply {
            book.exchange(
                LeaseRequest(
                    key: "k", limit: .amount(10, per: .seconds(60)), holder: holder, number: number, era: "",
                    life: .seconds(5), want: want, need: want, returned: 0, unleased: 0, window: 0, spent: spent,
                    held: held),
                at: 1, era: "a", up: 10_000_000)
        }
        #expect(ask(1, 1, 10).granted == 10)
        let other = ask(2, 1, 4)
        #expect(other.left == 0 && other.granted == 0 && other.unspent == 10)
        _ = ask(1, 2, 0, spent: 7, held: 3)
        #expect(ask(2, 2, 4).unspent == 3)
    }

    @Test func useThatNobodyThoughtOfIsCharged() throws {
        try run(.init(.amount(1_000, per: .seconds(10)), unit: .tokens, life: .seconds(1))) { limit, simulation in
            let time = simulation.time
            try await limit.acquire(cost: 100, until: time.now.advanced(by: .seconds(2))).void(at: time.now)
            let before = limit.available(at: time.now)
            let used = Measurements(usage: Usage(input: 20, output: 10))
            try limit.admit(Call(), at: time.now).settle(.success, used, at: time.now)
            try demand(limit.available(at: time.now) == before - 30, "an estimate of 0 is charged nothing")
            // Longer than the window lasts: another slice comes.
            let long = try limit.admit(Call(), at: time.now).take()
            try await simulation.seconds(20)
            try await limit.acquire(cost: 100, until: time.now.advanced(by: .seconds(3))).void(at: time.now)
            let then = limit.available(at: time.now)
            long.settle(.success, used, at: time.now)
            try demand(limit.available(at: time.now) == then - 30, "what another slice began with is charged nothing")
        }
    }

    @Test func theShareIsChargedForUse() throws {
        let configuration = SharedLimit.Configuration(Self.rate, unit: .tokens, fallback: .share(0.1))
        try run(configuration, runs: false) { limit, simulation in
            let time = simulation.time, used = Measurements(usage: Usage(input: 20, output: 10))
            try await simulation.seconds(10)
            let call = Call(tokens: .estimate(input: 5, maxOutput: 5))
            try limit.admit(call, at: time.now).settle(.success, used, at: time.now)
            try await simulation.seconds(15)
            try demand(refusal(limit, 1, at: time.now) != nil, "20 more than estimated are charged")
            try await simulation.seconds(7)
            try demand(refusal(limit, 1, at: time.now) == nil, "and paid at 1/s")
        }
    }

    /// A permit that outlives its limit does not ask the price of another.
    @Test func aPermitOfAnOldLifeAsksNobodysPrice() throws {
        let asked = Locked(0)
        let cost = SharedLimit.Cost(
            { _ in 0 },
            used: { _ in
                asked.withLock { $0 += 1 }
                return 1
            })
        let configuration = SharedLimit.Configuration(.amount(10, per: .seconds(60)))
        let store = MemoryLeaseStore()
        let permit = try {
            try SharedLimit("old", configuration, store: store, cost: cost).admit(Call(), at: at(1)).take()
        }()
        let next = try SharedLimit("next", configuration, store: store, cost: cost)
        permit.settle(.success, Measurements(usage: Usage(input: 1, output: 1)), at: at(2))
        #expect(asked.withLock { $0 } == 0)
        withExtendedLifetime(next) {}
    }

    /// Whoever waits for a store that hangs does not ask a thousand times a second, and counts once.
    @Test func waitersOfAStoreThatHangsAreSlow() throws {
        let cost = SharedLimit.Cost({ _ in 1 })
        try run(
            .init(.amount(1_000, per: .seconds(60))),
            { simulation in
                Scripted { request, count in
                    if count == 2 { try? await simulation.time.sleep(for: .seconds(20)) }
                    return LeaseReply(
                        granted: 0, left: 0, era: "a", window: 0, windowEndsIn: .seconds(60), isLapsed: true)
                }
            }, cost: cost
        ) { limit, simulation in
            let time = simulation.time
            try await simulation.seconds(0.1)
            _ = refusal(limit, 1, at: time.now)
            try await simulation.seconds(10)
            let wait = refusal(limit, 1, at: time.now)?.retryAfter ?? .zero
            try demand(wait >= .seconds(1), "ask again after \(wait)")
        }
    }

    @Test func whoeverWaitsBeforeItRunsGetsItsUnits() throws {
        try run(.init(.amount(1_000, per: .seconds(60))), runs: false) { limit, simulation in
            let time = simulation.time
            let waiter = simulation.start("wait") {
                try await limit.acquire(cost: 5, until: time.now.advanced(by: .seconds(3))).void(at: time.now)
            }
            try await simulation.seconds(1)
            let running = simulation.start("run") { try await limit.run() }
            try await waiter.value
            running.cancel()
            _ = await running.result
        }
    }

    @Test func aWaiterCountsOnce() throws {
        let wants = Locked<[Int64]>([])
        try run(
            .init(.rate(.perSecond(1), burst: 1_000), cover: .seconds(5)),
            { _ in
                Scripted { request, _ in
                    wants.withLock { $0.append(request.want) }
                    return LeaseReply(granted: 0, left: 0, era: "a")
                }
            }
        ) { limit, simulation in
            _ = try? await limit.acquire(cost: 5, until: simulation.time.now.advanced(by: .seconds(10)))
                .void(at: simulation.time.now)
        }
        #expect(wants.withLock { $0.last } == 5, "one call of 5 waits, and no more is wished")
    }

    @Test func aStoreThatGivesMoreThanWasAskedIsNotBelieved() throws {
        try run(
            .init(.rate(.perSecond(1_000), burst: 1_000), life: .seconds(1)),
            { _ in Scripted { _, _ in LeaseReply(granted: .max, left: 0, era: "a") } }
        ) { limit, simulation in
            for _ in 0..<20 {
                _ = refusal(limit, 1, at: simulation.time.now)
                try await simulation.seconds(0.5)
                try demand(limit.available(at: simulation.time.now) == 0, "it took them")
            }
            try demand(limit.isStoreAway, "such a store is as good as away")
        }
    }

    @Test func storesForgetWhoIsGone() {
        let store = MemoryLeaseStore(time: ManualTime())
        func request(_ key: String, _ holder: UInt64) -> LeaseRequest {
            LeaseRequest(
                key: key, limit: Self.rate, holder: holder, number: 1, era: "", life: .seconds(1), want: 0, need: 0,
                returned: 0, unleased: 0, window: -1, spent: 0, held: 0)
        }
        for key in 0..<1_000 { _ = store.serve(request("\(key)", 1), at: at(Double(key) * 3_600)) }
        #expect(store.count < 200)
        var book = LeaseBook()
        for holder in UInt64(0)..<1_000 {
            _ = book.exchange(request("k", holder), at: Int64(holder) * 10_000_000, era: "a", up: .max)
        }
        #expect(book.count < 200)
    }
}
