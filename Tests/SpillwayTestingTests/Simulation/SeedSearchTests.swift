import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.disabled(if: isReplaying)) struct SeedSearchTests {
    private struct Lost: Error {}

    @Test("the lowest seed that fails is reported, with its last steps, and fails again")
    func lowestSeed() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(seeds: 0..<2_000) { simulation in
                simulation.note("thinking")
                try await simulation.time.sleep(for: .seconds(1))
                if simulation.seed >= 1_000, simulation.seed % 7 == 0 { throw Lost() }
            }
        }
        #expect(failure?.seed == 1_001)
        #expect(failure?.replays == true)
        #expect(failure?.error is Lost)
        #expect(failure?.trace == ["1.0 seconds main #0", "1.0 seconds thinking", "2.0 seconds main #1"])
        #expect(
            failure?.description == """
                seed 1001 failed: Lost()
                replay it with SPILLWAY_SEED=1001 in the environment
                last steps:
                  1.0 seconds main #0
                  1.0 seconds thinking
                  2.0 seconds main #1
                """)
    }

    @Test("a race that a seed finds: a lost update between two reads and two writes")
    func race() async throws {
        actor Account {
            var balance = 0
            func set(_ value: Int) { balance = value }
        }
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(seeds: 0..<1_000) { _ in
                let account = Account()
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            let balance = await account.balance
                            await Task.yield()
                            await account.set(balance + 1)
                        }
                    }
                }
                if await account.balance != 2 { throw Lost() }
            }
        }
        #expect(failure?.replays == true)
    }

    @Test("what does not depend on the seed is told apart")
    func doesNotReplay() async throws {
        actor Once {
            var used = false
            func use() -> Bool {
                defer { used = true }
                return !used
            }
        }
        let once = Once()
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(seeds: 5..<6) { _ in
                if await once.use() { throw Lost() }
            }
        }
        #expect(failure?.seed == 5)
        #expect(failure?.replays == false)
        #expect(failure?.description.contains("did not fail again") == true)
    }

    @Test("every seed is tried once; none is tried of an empty range")
    func everySeed() async throws {
        let seen = Seen()
        try await Simulation.check(seeds: 0..<0) { seen.add($0.seed) }
        try await Simulation.check(seeds: 50..<1_000) { seen.add($0.seed) }
        #expect(seen.seeds.sorted() == Array(50..<1_000))
    }
}

private final class Seen: Sendable {
    private let contents = Locked<[UInt64]>([])
    var seeds: [UInt64] { contents.withLock { $0 } }
    func add(_ seed: UInt64) { contents.withLock { $0.append(seed) } }
}
