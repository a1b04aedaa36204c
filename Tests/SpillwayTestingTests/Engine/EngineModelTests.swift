import SpillwayCore
import Testing

@testable import SpillwayTesting

@Suite struct EngineModelTests {
    @Test func `the first token comes when the prompt has been read, the others in chunks`() throws {
        var engine = EngineModel(try makeConfiguration())
        let id = try engine.submit(.init(promptTokens: 50, outputTokens: 19), at: .zero)
        #expect(engine.nextDue == ms(51))
        #expect(engine.advance(to: ms(50.9)).isEmpty)
        #expect(engine.advance(to: ms(51)) == [.init(id: id, tokens: 1, at: ms(51), isLast: false)])
        let rest = engine.runToEnd()
        #expect(rest.map(\.tokens) == [8, 8, 2])
        #expect(rest.map(\.at) == [ms(139), ms(227), ms(249)])
        #expect(rest.map(\.isLast) == [false, false, true])
        #expect(engine.load.kvBlocksUsed == 0)
        #expect(engine.nextDue == nil)
    }

    @Test func `a long prompt is read in pieces of the token budget`() throws {
        var engine = EngineModel(try makeConfiguration())
        _ = try engine.submit(.init(promptTokens: 250, outputTokens: 1), at: .zero)
        #expect(engine.nextDue == ms(101))
        #expect(engine.runToEnd().map(\.at) == [ms(253)])
    }

    @Test func `a request that generates nothing ends with its prompt`() throws {
        var engine = EngineModel(try makeConfiguration())
        let id = try engine.submit(.init(promptTokens: 50, outputTokens: 0), at: .zero)
        #expect(engine.runToEnd() == [.init(id: id, tokens: 0, at: ms(51), isLast: true)])
    }

    @Test func `a fuller batch decodes each of its requests more slowly`() throws {
        func tokenTime(_ count: Int) throws -> Double {
            var engine = EngineModel(try makeConfiguration())
            for _ in 0..<count { _ = try engine.submit(.init(promptTokens: 1, outputTokens: 101), at: .zero) }
            let progress = engine.runToEnd()
            let (first, last) = try (#require(progress.first), #require(progress.last))
            return first.at.duration(to: last.at) / .milliseconds(100)
        }
        #expect(try tokenTime(1) == 11)
        #expect(try tokenTime(4) == 14)
    }

    @Test func `reading keys and values slows a long context down`() throws {
        var engine = EngineModel(try makeConfiguration(contextReadTime: .microseconds(10)))
        _ = try engine.submit(.init(promptTokens: 100, outputTokens: 3), at: .zero)
        // The second token reads 101 tokens, the third 102: 10 µs each, beside 10 ms for the weights and 1 ms of overhead.
        #expect(engine.runToEnd().last?.at == ms(101 + 12.01 + 12.02))
    }

    @Test func `a request joins when the step under way ends, which changes no step before`() throws {
        var engine = EngineModel(try makeConfiguration())
        let first = try engine.submit(.init(promptTokens: 50, outputTokens: 9), at: .zero)
        _ = engine.advance(to: ms(51))
        // Steps end at 62, 73, … ; the next report would be at 139.
        let second = try engine.submit(.init(promptTokens: 20, outputTokens: 1), at: ms(65))
        #expect(engine.nextDue == ms(73))
        let progress = engine.runToEnd()
        // 21 tokens of two requests: 21 ms and 2 ms.
        #expect(progress.first == .init(id: second, tokens: 1, at: ms(96), isLast: true))
        // Two tokens at 73, one at 96, five more alone.
        #expect(progress.last == .init(id: first, tokens: 8, at: ms(151), isLast: true))
    }

    @Test func `requests beyond the batch wait in order, and too many are refused`() throws {
        var engine = EngineModel(try makeConfiguration(maxRunning: 1, maxWaiting: 2))
        let request = EngineModel.Request(promptTokens: 10, outputTokens: 2)
        let ids = try (0..<3).map { _ in try engine.submit(request, at: .zero) }
        #expect(engine.load.running == 1)
        #expect(engine.load.waiting == 2)
        #expect(throws: EngineModel.Refusal.queueFull) { try engine.submit(request, at: .zero) }
        #expect(engine.runToEnd().filter(\.isLast).map(\.id) == ids)
    }

    @Test func `what cannot be served is refused`() throws {
        var engine = EngineModel(try makeConfiguration(kvBlocks: 10, contextLimit: 100))
        var large = EngineModel(try makeConfiguration(kvBlocks: 10, contextLimit: 160))
        func refusal(_ prompt: Int, _ output: Int) -> EngineModel.Refusal? {
            do throws(EngineModel.Refusal) {
                _ = try engine.submit(.init(promptTokens: prompt, outputTokens: output), at: .zero)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(60, 41) == .contextTooLong)
        #expect(refusal(.max, .max) == .contextTooLong)
        #expect(refusal(0, 1) == .malformed)
        #expect(refusal(1, -1) == .malformed)
        #expect(refusal(60, 40) == nil)
        engine.limitMemory(toBlocks: 3)
        #expect(refusal(49, 1) == .outOfMemory)
        #expect(refusal(48, 1) == nil)
        #expect(try large.submit(.init(promptTokens: 150, outputTokens: 10), at: .zero) == 1)
    }

    @Test func `cancelling frees the place and the blocks at once, running or waiting`() throws {
        var engine = EngineModel(try makeConfiguration(maxRunning: 1))
        let ids = try (0..<3).map { _ in try engine.submit(.init(promptTokens: 100, outputTokens: 8), at: .zero) }
        engine.cancel(ids[1], at: ms(1))
        #expect(engine.load.waiting == 1)
        #expect(engine.load.kvBlocksUsed == 7)
        engine.cancel(ids[0], at: ms(2))
        #expect(engine.load.kvBlocksUsed == 0)
        // The step under way goes on to its end.
        #expect(Set(engine.runToEnd().map(\.id)) == [ids[2]])
        engine.cancel(ids[2], at: ms(3))
        engine.cancel(99, at: ms(3))
        #expect(engine.fault == nil)
    }

    @Test func `progress that is due when a request comes is not lost`() throws {
        var engine = EngineModel(try makeConfiguration())
        let first = try engine.submit(.init(promptTokens: 50, outputTokens: 1), at: .zero)
        _ = try engine.submit(.init(promptTokens: 50, outputTokens: 1), at: ms(60))
        #expect(engine.nextDue == ms(51))
        #expect(engine.advance(to: ms(60)).map(\.id) == [first])
    }

    @Test func `time that goes back stands still`() throws {
        var engine = EngineModel(try makeConfiguration())
        _ = engine.advance(to: ms(100))
        _ = try engine.submit(.init(promptTokens: 50, outputTokens: 1), at: ms(20))
        #expect(engine.nextDue == ms(151))
        #expect(engine.advance(to: ms(0)).isEmpty)
        #expect(engine.advance(to: ms(151)).count == 1)
    }
}
