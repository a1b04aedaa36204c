import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct TimeTests {
    private let system = SystemTime()

    @Test func theSystemsTimeNeverGoesBack() {
        var last = system.now
        for _ in 0..<10_000 {
            let now = system.now
            #expect(now >= last)
            last = now
        }
    }

    @Test func sleepingUntilThePastReturnsAtOnce() async throws {
        try await system.sleep(until: .zero)
        try await system.sleep(until: Instant(nanoseconds: .min))
        try await system.sleep(until: system.now)
    }

    @Test func aSleepIsNeverEarly() async throws {
        let early = try await withThrowingTaskGroup(of: Bool.self) { group in
            for step in 0..<100 {
                group.addTask { [system] in
                    let until = system.now.advanced(by: .microseconds(step * 97))
                    try await system.sleep(until: until)
                    return system.now < until
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(early == 0)
    }

    @Test func cancellationWakesASleeper() async {
        let before = Task { [system] in try await system.sleep(until: .distantFuture) }
        before.cancel()
        await #expect(throws: CancellationError.self) { try await before.value }
        // One that surely sleeps already: its first sleep has ended.
        let slept = Shared(false)
        let during = Task { [system] in
            try await system.sleep(until: system.now.advanced(by: .milliseconds(1)))
            slept.change { $0 = true }
            try await system.sleep(until: system.now.advanced(by: .seconds(86_400)))
        }
        while !slept.value { await Task.yield() }
        during.cancel()
        await #expect(throws: CancellationError.self) { try await during.value }
    }

    @Test func thousandsOfSleepersComeAndGo() async {
        let random = RandomSource.seeded(7)
        let ended = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 {
                let wait = Duration.microseconds(Int64(random.next(through: 20_000)))
                group.addTask { [system] in
                    let sleeper = Task { try await system.sleep(until: system.now.advanced(by: wait)) }
                    if number % 2 == 0 { sleeper.cancel() }
                    if case .success = await sleeper.result { return true }
                    return number % 2 == 0
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ended == 2_000)
    }

    @Test func manualTimeWakesWhoIsDueAndNobodyElse() async throws {
        let time = ManualTime(at(0))
        try await time.sleep(until: at(0))
        let first = Task { try await time.sleep(until: at(1)) }
        let second = Task { try await time.sleep(until: at(2)) }
        await time.waitForSleepers(2)
        #expect(time.nextWake == at(1))
        time.advance(by: .milliseconds(999))
        #expect(time.sleepers == 2)
        time.advance(by: .milliseconds(1))
        try await first.value
        #expect(time.sleepers == 1)
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(time.sleepers == 0)
        #expect(time.nextWake == nil)
        #expect(time.now == at(1))
    }

    @Test func contextsAreInheritedByTheTask() async {
        #expect(CallContext.current == nil)
        await CallContext.$current.withValue(CallContext(deadline: at(9))) {
            let inherited = await Task { CallContext.current?.deadline }.value
            #expect(inherited == at(9))
        }
    }
}
