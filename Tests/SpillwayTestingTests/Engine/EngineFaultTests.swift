import SpillwayCore
import Testing

@testable import SpillwayTesting

@Suite struct EngineFaultTests {
    @Test func `a slow engine is slow at once, and well again at once`() throws {
        var engine = EngineModel(try makeConfiguration())
        _ = try engine.submit(.init(promptTokens: 100, outputTokens: 1), at: .zero)
        _ = engine.advance(to: ms(41))
        engine.slowdown = 4
        #expect(engine.nextDue == ms(41 + 60 * 4))
        _ = engine.advance(to: ms(81))
        engine.slowdown = 1
        #expect(engine.nextDue == ms(81 + 50))
        #expect(engine.runToEnd().count == 1)
    }

    @Test func `a slowdown set before a request counts once`() throws {
        var engine = EngineModel(try makeConfiguration())
        engine.slowdown = 2
        _ = try engine.submit(.init(promptTokens: 100, outputTokens: 1), at: .zero)
        #expect(engine.nextDue == ms(202))
        engine.slowdown = 3
        #expect(engine.nextDue == ms(303))
    }

    @Test(arguments: [(0.0, 0.001), (-3, 0.001), (.infinity, 1_000_000), (.nan, 1), (7, 7)])
    func `a slowdown stays within its bounds`(given: Double, kept: Double) throws {
        var engine = EngineModel(try makeConfiguration())
        engine.slowdown = given
        #expect(engine.slowdown == kept)
    }

    @Test func `a crash loses every request once and empties the memory`() throws {
        var engine = EngineModel(try makeConfiguration(maxRunning: 2))
        let request = EngineModel.Request(promptTokens: 96, promptBlocks: blocks(6, family: 1), outputTokens: 20)
        let ids = try (0..<4).map { _ in try engine.submit(request, at: .zero) }
        _ = engine.advance(to: ms(300))
        #expect(engine.fail() == ids)
        #expect(engine.fail().isEmpty)
        #expect(engine.nextDue == nil)
        #expect(engine.load.kvBlocksUsed + engine.load.kvBlocksCached == 0)
        #expect(engine.load.running + engine.load.waiting == 0)
        let next = try engine.submit(request, at: ms(400))
        #expect(next == 5)
        #expect(Set(engine.runToEnd().map(\.id)) == [next])
    }

    @Test(arguments: [0, 1, 5, 9])
    func `a hung request goes silent and keeps its place`(tokens: Int) throws {
        var engine = EngineModel(try makeConfiguration())
        let hung = try engine.submit(.init(promptTokens: 40, outputTokens: 20), at: .zero)
        engine.hang(hung, afterTokens: tokens)
        let other = try engine.submit(.init(promptTokens: 40, outputTokens: 20), at: .zero)
        let progress = engine.runToEnd()
        #expect(progress.filter { $0.id == hung }.reduce(0) { $0 + $1.tokens } == tokens)
        #expect(progress.filter { $0.id == other }.last?.isLast == true)
        #expect(engine.load.running == 1)
        #expect(engine.load.kvBlocksUsed > 0)
        engine.resume(hung)
        #expect(engine.runToEnd().last?.isLast == true)
        #expect(engine.load.tokensGenerated == 40)
        engine.hang(hung)
        #expect(engine.fault == nil)
    }

    @Test func `a request that hangs can be cancelled`() throws {
        var engine = EngineModel(try makeConfiguration())
        let id = try engine.submit(.init(promptTokens: 40, outputTokens: 20), at: .zero)
        engine.hang(id)
        #expect(engine.runToEnd().isEmpty)
        engine.cancel(id, at: ms(500))
        #expect(engine.load.running == 0)
        #expect(engine.load.kvBlocksUsed == 0)
    }
}
