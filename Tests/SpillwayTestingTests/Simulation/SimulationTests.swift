import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

/// Lines in the order in which tasks wrote them.
private actor Log {
    var lines: [String] = []
    func add(_ line: String) { lines.append(line) }
}

@Suite struct SimulationTests {
    /// Everything a service does at once: a group, an actor, a stream, two waits, a cancellation.
    private static func work(_ simulation: Simulation) async throws -> [String] {
        let log = Log()
        let (stream, source) = AsyncStream.makeStream(of: Int.self)
        let stopped = simulation.start("stopped") {
            do { try await simulation.time.sleep(for: .seconds(9)) } catch {
                await log.add("stopped")
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    await Task.yield()
                    await log.add("child \(number)")
                    source.yield(number)
                }
            }
            group.addTask {
                for await number in stream.prefix(5) { await log.add("heard \(number)") }
            }
        }
        async let slow: Void = simulation.time.sleep(until: Instant(nanoseconds: 3_000_000_000))
        async let quick: Void = simulation.time.sleep(until: Instant(nanoseconds: 2_000_000_000))
        try await quick
        await log.add("quick \(simulation.time.now)")
        stopped.cancel()
        try await slow
        await log.add("slow \(simulation.time.now)")
        return await log.lines
    }

    @Test("the same seed gives the same trace, byte for byte; others give other orders")
    func sameSeedSameTrace() throws {
        var orders: Set<[String]> = []
        for seed in 0..<100 as Range<UInt64> {
            let first = Simulation(seed: seed, traced: true)
            let second = Simulation(seed: seed, traced: true)
            let lines = try first.run { try await Self.work(first) }
            #expect(try second.run { try await Self.work(second) } == lines)
            #expect(first.trace == second.trace)
            #expect(lines.suffix(3).sorted() == ["quick 2.0 seconds", "slow 3.0 seconds", "stopped"])
            #expect(Set(lines).count == 13)
            orders.insert(lines)
        }
        #expect(orders.count > 90)
    }

    @Test("every order of three tasks occurs, about equally often")
    func everyOrder() throws {
        var counts: [[String]: Int] = [:]
        for seed in 0..<6_000 as Range<UInt64> {
            let simulation = Simulation(seed: seed)
            let order = try simulation.run {
                await withTaskGroup(of: String.self) { group in
                    for name in ["a", "b", "c"] { group.addTask { name } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            counts[order, default: 0] += 1
        }
        #expect(counts.count == 6)
        // Six standard deviations of 1,000.
        #expect(counts.values.allSatisfy { (827...1_173).contains($0) }, "\(counts)")
    }

    @Test("time moves to the first sleeper, exactly, and only when nothing else can go on")
    func time() throws {
        let simulation = Simulation(seed: 1)
        let start = simulation.time.now
        let woken = try simulation.run {
            try await withThrowingTaskGroup(of: Duration.self) { group in
                for hours in [30 * 24, 1, 2] {
                    group.addTask {
                        try await simulation.time.sleep(until: start.advanced(by: .seconds(3600 * hours)))
                        return start.duration(to: simulation.time.now)
                    }
                }
                group.addTask {
                    for _ in 0..<1_000 { await Task.yield() }
                    return start.duration(to: simulation.time.now)
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(woken == [.zero, .seconds(3_600), .seconds(7_200), .seconds(30 * 24 * 3_600)])
    }

    @Test("a policy runs unchanged: the same retries, waits and report for a seed")
    func policy() throws {
        func reports(_ seed: UInt64) throws -> [String] {
            let simulation = Simulation(seed: seed)
            let policy = try Policy("chat", time: simulation.time) { () throws(ConfigurationError) in
                try Retry(upTo: 3, budget: .unlimited, random: simulation.random)
            }
            return try simulation.run {
                await withTaskGroup(of: String.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            let (_, report) = await policy.reported(Call(idempotency: .idempotent)) { attempt in
                                if attempt.number < 3 { throw Trouble() }
                            }
                            return "\(report.started) \(report.ended) \(report.waited) \(report.attempts.count)"
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
        }
        let first = try reports(7)
        #expect(try reports(7) == first)
        #expect(try reports(8) != first)
        #expect(first.allSatisfy { $0.hasSuffix(" 3") })
    }

    @Test("a task is cancelled at each of its awaits in turn, and before it starts")
    func cancellation() throws {
        var reached: [Int] = []
        for number in 0...4 {
            let simulation = Simulation(seed: 3)
            reached.append(
                try simulation.run {
                    let task = simulation.start("call", cancelledAtAwait: number) {
                        var count = 0
                        for _ in 0..<3 where !Task.isCancelled {
                            try? await simulation.time.sleep(for: .seconds(1))
                            if !Task.isCancelled { count += 1 }
                        }
                        return count
                    }
                    return try await task.value
                })
        }
        #expect(reached == [0, 0, 1, 2, 3])
    }

    @Test("what a body throws comes out, and what it started has ended by then")
    func errors() throws {
        let simulation = Simulation(seed: 1)
        let ended = Log()
        #expect(throws: Trouble.self) {
            try simulation.run {
                simulation.start("late") {
                    try await simulation.time.sleep(for: .seconds(60))
                    await ended.add("late")
                }
                throw Trouble()
            }
        }
        #expect(try Simulation(seed: 1).run { await ended.lines } == ["late"])
        #expect(simulation.time.sleepers == 0)
    }

    @Test("a simulation that cannot end says why")
    func cannotEnd() throws {
        #expect(throws: SimulationError.stuck(tasks: ["main"])) {
            let (stream, source) = AsyncStream.makeStream(of: Int.self)
            try Simulation(seed: 1).run { for await _ in stream {} }
            source.finish()
        }
        #expect(throws: SimulationError.endless(jobs: 100, task: "main")) {
            try Simulation(seed: 1, limit: 100).run { while true { await Task.yield() } }
        }
        let restless = Simulation(seed: 1, limit: 100)
        #expect(throws: SimulationError.endless(jobs: 100, task: "main")) {
            try restless.run { while true { try await restless.time.sleep(for: .zero) } }
        }
        let simulation = Simulation(seed: 1)
        #expect(throws: SimulationError.running) {
            try simulation.run { try simulation.run {} }
        }
        #expect(try simulation.run { 5 } == 5)
    }

    @Test("a task that something outside resumes is told, not run at an odd moment")
    func escape() async throws {
        let box = Box()
        let simulation = Simulation(seed: 1)
        let error = #expect(throws: SimulationError.self) {
            try simulation.run {
                simulation.start("other") {
                    while true {
                        if let continuation = box.value.withLock({ $0 }) {
                            Task.detached { continuation.resume() }
                            return
                        }
                        await Task.yield()
                    }
                }
                await withCheckedContinuation { continuation in box.value.withLock { $0 = continuation } }
            }
        }
        #expect(error == .escaped || error == .stuck(tasks: ["main"]))
    }

    @Test("the clock can jump, forward and back")
    func jumps() throws {
        let simulation = Simulation(seed: 1)
        let start = simulation.time.now
        let woken = try simulation.run {
            let sleeper = simulation.start("sleeper") {
                try await simulation.time.sleep(until: start.advanced(by: .seconds(10)))
                return start.duration(to: simulation.time.now)
            }
            simulation.start("jump") {
                simulation.time.advance(by: .seconds(-5))
                try await simulation.time.sleep(until: start)
                simulation.time.advance(by: .seconds(60))
            }
            return try await sleeper.value
        }
        #expect(woken == .seconds(60))
    }
}

private struct Trouble: Error {}

private final class Box: Sendable {
    let value = Locked<CheckedContinuation<Void, Never>?>(nil)
}
