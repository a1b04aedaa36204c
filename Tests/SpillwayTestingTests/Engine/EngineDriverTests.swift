import SpillwayCore
import Testing

@testable import SpillwayTesting

/// A driver on manual time, and what counts its alarms.
private struct Bench {
    let time = ManualTime(.zero)
    let driver: EngineDriver

    init(_ configuration: EngineModel.Configuration) {
        let alarms = AlarmCount()
        count = alarms
        driver = EngineDriver(configuration, time: time) { body in
            alarms.started.withLock { $0 += 1 }
            Task { await body() }
        }
    }

    private let count: AlarmCount
    var started: Int { count.started.withLock { $0 } }

    /// Moves time to each alarm in turn until `count` streams have ended.
    func finish(_ streams: [AsyncStream<EngineModel.Progress>]) async -> [[EngineModel.Progress]] {
        await withTaskGroup(of: (Int, [EngineModel.Progress]).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask {
                    var all: [EngineModel.Progress] = []
                    for await progress in stream { all.append(progress) }
                    return (index, all)
                }
            }
            while driver.load.running > 0 {
                await time.waitForSleepers()
                guard let wake = time.nextWake else { continue }
                time.advance(by: time.now.duration(to: wake))
            }
            var results = [[EngineModel.Progress]](repeating: [], count: streams.count)
            for await (index, all) in group { results[index] = all }
            return results
        }
    }
}

private final class AlarmCount: Sendable {
    let started = Locked(0)
}

@Suite struct EngineDriverTests {
    @Test func `a stream gives the progress and ends`() async throws {
        let bench = Bench(try makeConfiguration())
        let (id, stream) = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 19))
        let all = await bench.finish([stream])[0]
        #expect(all.map(\.tokens) == [1, 8, 8, 2])
        #expect(all.map(\.at) == [ms(51), ms(139), ms(227), ms(249)])
        #expect(all.allSatisfy { $0.id == id })
        // One alarm for each event, none to poll.
        #expect(bench.started == 4)
    }

    @Test func `requests run together as in the model`() async throws {
        let bench = Bench(try makeConfiguration())
        var model = EngineModel(try makeConfiguration())
        let requests = (1...6).map { EngineModel.Request(promptTokens: $0 * 30, outputTokens: $0 * 7) }
        for request in requests { _ = try model.submit(request, at: .zero) }
        let streams = try requests.map { try bench.driver.submit($0).progress }
        let expected = model.runToEnd()
        let results = await bench.finish(streams)
        for (index, all) in results.enumerated() { #expect(all == expected.filter { $0.id == index + 1 }) }
        #expect(bench.driver.load == model.load)
    }

    @Test func `an alarm that rings early only sets the next`() async throws {
        let bench = Bench(try makeConfiguration())
        let (first, stream) = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 1))
        let (_, other) = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 1))
        bench.driver.cancel(first)
        #expect(bench.started == 1)
        let results = await bench.finish([stream, other])
        #expect(results[0].isEmpty)
        #expect(results[1].map(\.isLast) == [true])
    }

    @Test func `a cancelled request frees everything and its stream ends`() async throws {
        let bench = Bench(try makeConfiguration())
        let (id, stream) = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 10))
        #expect(bench.driver.load.kvBlocksUsed == 4)
        bench.driver.cancel(id)
        bench.driver.cancel(id)
        #expect(bench.driver.load.kvBlocksUsed == 0)
        #expect(bench.driver.load.running == 0)
        for await _ in stream { Issue.record("progress of a cancelled request") }
    }

    @Test func `whoever stops reading cancels`() async throws {
        let bench = Bench(try makeConfiguration())
        let stream = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 10)).progress
        let reader = Task { for await _ in stream {} }
        reader.cancel()
        await reader.value
        #expect(bench.driver.load.running == 0)
        do { _ = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 10)).progress }
        #expect(bench.driver.load.running == 0)
    }

    @Test func `a crash ends the streams, and a fault shows at once`() async throws {
        let bench = Bench(try makeConfiguration())
        let (_, stream) = try bench.driver.submit(.init(promptTokens: 100, outputTokens: 1))
        bench.driver.adjust { $0.slowdown = 10 }
        bench.driver.adjust { $0.slowdown = 1 }
        bench.driver.adjust { _ = $0.fail() }
        for await _ in stream { Issue.record("progress of a lost request") }
        let (_, next) = try bench.driver.submit(.init(promptTokens: 100, outputTokens: 1))
        #expect(await bench.finish([next])[0].map(\.at) == [ms(101)])
    }

    @Test func `a request can be made to hang before it begins`() async throws {
        let bench = Bench(try makeConfiguration())
        let (id, stream) = try bench.driver.submit(.init(promptTokens: 10, outputTokens: 10)) { engine, id in
            engine.hang(id)
        }
        bench.time.advance(by: .seconds(100))
        #expect(bench.driver.load.running == 1)
        bench.driver.cancel(id)
        for await _ in stream { Issue.record("progress of a hung request") }
    }

    @Test func `a refusal leaves no stream behind`() throws {
        let bench = Bench(try makeConfiguration(contextLimit: 100))
        #expect(throws: EngineModel.Refusal.contextTooLong) {
            try bench.driver.submit(.init(promptTokens: 100, outputTokens: 1))
        }
        #expect(bench.started == 0)
        #expect(bench.driver.load == EngineModel.Load())
    }

    @Test func `time that goes back stands still`() async throws {
        let bench = Bench(try makeConfiguration())
        bench.time.advance(by: .seconds(1))
        let (_, stream) = try bench.driver.submit(.init(promptTokens: 50, outputTokens: 1))
        bench.time.advance(by: .seconds(-1))
        #expect(bench.driver.load.running == 1)
        bench.time.advance(by: .seconds(2))
        #expect(bench.driver.load.running == 0)
        for await progress in stream { #expect(progress.at == ms(1_051)) }
    }
}
