import Testing

@testable import FakeFleet

/// A small engine of round numbers: prefill 1000 tokens/s, decode 100 tokens/s alone on two slots at 100/1.5.
private func smallEngine(_ change: (inout Engine.Settings) -> Void = { _ in }) -> Engine {
    var settings = Engine.Settings(slots: 2, prefillRate: 1000, decodeRate: 100, kvBlocks: 100, blockSize: 16)
    change(&settings)
    return Engine(settings)
}

extension Engine {
    /// Submits a job that has to find room.
    fileprivate mutating func accept(_ job: Job) throws -> Int {
        let id = submit(job)
        return try #require(id)
    }
}

private func isClose(_ value: Double?, _ expected: Double) -> Bool {
    value.map { abs($0 - expected) < 1e-9 } ?? false
}

@Suite struct EngineTests {
    /// A hair past a due time, so that rounding cannot hide a chunk.
    let hair = 1e-6

    @Test func `the first chunk is due when the prefill ends and is not ready before`() throws {
        var engine = smallEngine()
        let id = try engine.accept(.init(promptTokens: 500, maxTokens: 16))
        #expect(isClose(engine.nextDue, 0.5))
        #expect(engine.advance(to: 0.49).isEmpty)
        #expect(engine.advance(to: 0.5 + hair) == [.init(id: id, tokens: 8, isLast: false)])
    }

    @Test func `later chunks come at the decode rate of the batch`() {
        var alone = smallEngine()
        _ = alone.submit(.init(promptTokens: 500, maxTokens: 16))
        _ = alone.advance(to: 0.5)
        #expect(isClose(alone.nextDue, 0.5 + 8 * 1.5 / 100))

        var shared = smallEngine()
        _ = shared.submit(.init(promptTokens: 500, maxTokens: 16))
        _ = shared.submit(.init(promptTokens: 500, maxTokens: 16))
        #expect(shared.advance(to: 0.5).count == 2)
        #expect(isClose(shared.nextDue, 0.5 + 8 * 2.0 / 100))
    }

    @Test func `a change of the batch changes the rate from then on`() throws {
        var engine = smallEngine()
        _ = engine.submit(.init(promptTokens: 500, maxTokens: 16))
        _ = engine.advance(to: 0.5)
        // Half of the second chunk decodes alone, the other half beside a request that is still in its prefill.
        _ = engine.advance(to: 0.56)
        _ = engine.submit(.init(promptTokens: 1000, maxTokens: 8))
        #expect(isClose(engine.nextDue, 0.56 + 4 * 2.0 / 100))
    }

    @Test func `exactly the asked tokens come, the last chunk holding the rest`() {
        var engine = smallEngine()
        _ = engine.submit(.init(promptTokens: 1, maxTokens: 19))
        let chunks = engine.advance(to: 100)
        #expect(chunks.map(\.tokens) == [8, 8, 3])
        #expect(chunks.map(\.isLast) == [false, false, true])
        #expect(engine.load.running == 0)
        #expect(engine.load.kvUsage == 0)
        #expect(engine.nextDue == nil)
    }

    @Test func `one long step equals many short ones`() {
        let jobs = (1...9).map { Engine.Job(promptTokens: $0 * 70, maxTokens: $0 * 5) }
        var coarse = smallEngine()
        var fine = smallEngine()
        for job in jobs {
            _ = coarse.submit(job)
            _ = fine.submit(job)
        }
        let all = coarse.advance(to: 60)
        #expect(all == (1...6000).flatMap { fine.advance(to: Double($0) / 100) })
        #expect(all.filter(\.isLast).count == jobs.count)
    }

    @Test func `requests beyond the slots wait in order and start when one ends`() throws {
        var engine = smallEngine { $0.slots = 1 }
        let ids = try (0..<3).map { _ in try engine.accept(.init(promptTokens: 100, maxTokens: 8)) }
        #expect(engine.load.running == 1)
        #expect(engine.load.waiting == 2)
        // The wait for the slot is part of the time to the first token.
        #expect(engine.advance(to: 0.1 + hair).map(\.id) == [ids[0]])
        #expect(isClose(engine.nextDue, 0.2))
        #expect(engine.advance(to: 1).map(\.id) == [ids[1], ids[2]])
    }

    @Test func `a request waits for its KV blocks and holds up those behind it`() throws {
        var engine = smallEngine { $0.kvBlocks = 10 }
        let first = try engine.accept(.init(promptTokens: 88, maxTokens: 8))
        let large = try engine.accept(.init(promptTokens: 72, maxTokens: 8))
        let small = try engine.accept(.init(promptTokens: 8, maxTokens: 8))
        #expect(isClose(engine.load.kvUsage, 0.6))
        #expect(engine.load.waiting == 2)
        #expect(engine.advance(to: 0.088 + hair).map(\.id) == [first])
        #expect(engine.load.waiting == 0)
        #expect(isClose(engine.load.kvUsage, 0.6))
        #expect(Set(engine.advance(to: 1).map(\.id)) == [large, small])
    }

    @Test func `a full queue turns a request away`() throws {
        var engine = smallEngine {
            $0.slots = 1
            $0.maxQueue = 1
        }
        let job = Engine.Job(promptTokens: 100, maxTokens: 8)
        _ = try engine.accept(job)
        _ = try engine.accept(job)
        let refused = engine.submit(job)
        #expect(refused == nil)
        #expect(engine.load.waiting == 1)
        _ = engine.advance(to: 0.1 + hair)
        _ = try engine.accept(job)
    }

    @Test func `cancelling frees slot and blocks at once, running or waiting`() throws {
        var engine = smallEngine { $0.slots = 1 }
        let job = Engine.Job(promptTokens: 100, maxTokens: 8)
        let ids = try (0..<3).map { _ in try engine.accept(job) }
        engine.cancel(ids[1])
        #expect(engine.load.waiting == 1)
        engine.cancel(ids[0])
        #expect(engine.load.running == 1)
        #expect(engine.load.waiting == 0)
        #expect(engine.advance(to: 0.1 + hair).map(\.id) == [ids[2]])
        engine.cancel(ids[2])
        #expect(engine.load.kvUsage == 0)
    }

    @Test func `a cached prefix shortens the prefill`() {
        var engine = smallEngine()
        let prompt = Prompt(String(repeating: "x", count: 640), blockSize: 16)
        let job = Engine.Job(promptTokens: prompt.tokens, promptBlocks: prompt.blocks, maxTokens: 8)
        _ = engine.submit(job)
        _ = engine.advance(to: 1)
        #expect(engine.load.prefixQueries == 160)
        #expect(engine.load.prefixHits == 0)

        let longer = Prompt(String(repeating: "x", count: 640) + String(repeating: "y", count: 400), blockSize: 16)
        _ = engine.submit(.init(promptTokens: longer.tokens, promptBlocks: longer.blocks, maxTokens: 8))
        #expect(isClose(engine.nextDue, 1.1))
        #expect(engine.load.prefixQueries == 420)
        #expect(engine.load.prefixHits == 160)
        _ = engine.advance(to: 2)

        // A prompt that is cached whole still computes its last token.
        _ = engine.submit(job)
        #expect(isClose(engine.nextDue, 2.001))
    }

    @Test func `a prompt is cached only once its prefill has ended`() {
        var engine = smallEngine()
        let prompt = Prompt(String(repeating: "x", count: 640), blockSize: 16)
        let job = Engine.Job(promptTokens: prompt.tokens, promptBlocks: prompt.blocks, maxTokens: 8)
        _ = engine.submit(job)
        _ = engine.submit(job)
        #expect(engine.load.prefixHits == 0)
    }

    @Test func `a request without tokens to generate ends with its prefill`() throws {
        var engine = smallEngine()
        let id = try engine.accept(.init(promptTokens: 500, maxTokens: 0))
        #expect(engine.advance(to: 0.5 + hair) == [.init(id: id, tokens: 0, isLast: true)])
        #expect(engine.load.running == 0)
    }

    @Test func `a slow first token comes later by its delay`() {
        var engine = smallEngine()
        _ = engine.submit(.init(promptTokens: 500, maxTokens: 8, firstTokenDelay: 3))
        #expect(isClose(engine.nextDue, 3.5))
    }

    @Test(arguments: [(0, 0), (1, 8), (2, 16)])
    func `a halting request goes silent and keeps its slot`(chunks: Int, tokens: Int) throws {
        var engine = smallEngine()
        let id = try engine.accept(.init(promptTokens: 32, maxTokens: 16, haltAfterChunks: chunks))
        let produced = engine.advance(to: 1000)
        #expect(produced.map(\.tokens).reduce(0, +) == tokens)
        #expect(produced.allSatisfy { !$0.isLast })
        #expect(engine.load.running == 1)
        #expect(engine.nextDue == nil)
        engine.cancel(id)
        #expect(engine.load == .init(prefixQueries: 32))
    }
}
