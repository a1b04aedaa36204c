import SpillwayCore
import Testing

@testable import SpillwayTesting

@Suite struct EngineMemoryTests {
    @Test func `a cached prefix shortens the prefill`() throws {
        func request(_ tokens: Int) -> EngineModel.Request {
            .init(promptTokens: tokens, promptBlocks: blocks(tokens / 16, family: 1), outputTokens: 1)
        }
        var engine = EngineModel(try makeConfiguration(tokenBudget: 1_000))
        _ = try engine.submit(request(160), at: .zero)
        #expect(engine.runToEnd().map(\.at) == [ms(161)])
        #expect(engine.load.prefixQueries == 160)
        #expect(engine.load.prefixHits == 0)
        #expect(engine.load.kvBlocksCached == 10)
        _ = try engine.submit(request(260), at: ms(161))
        #expect(engine.runToEnd().map(\.at) == [ms(161 + 101)])
        #expect(engine.load.prefixHits == 160)
        // Of a prompt that is cached whole, the last block is computed again: its output is the first token.
        _ = try engine.submit(request(160), at: ms(262))
        #expect(engine.runToEnd().map(\.at) == [ms(262 + 17)])
        #expect(engine.load.prefixHits == 160 + 144)
        #expect(engine.load.tokensComputed == 160 + 100 + 16)
    }

    @Test func `requests with equal prompts share their blocks`() throws {
        var engine = EngineModel(try makeConfiguration())
        let request = EngineModel.Request(promptTokens: 96, promptBlocks: blocks(6, family: 1), outputTokens: 50)
        _ = try engine.submit(request, at: .zero)
        _ = engine.advance(to: ms(97))
        #expect(engine.load.kvBlocksUsed == 6)
        _ = try engine.submit(request, at: ms(97))
        // Five are shared; the last one is its own.
        #expect(engine.load.kvBlocksUsed == 7)
        #expect(engine.runToEnd().filter(\.isLast).count == 2)
        #expect(engine.fault == nil)
    }

    @Test func `the prompt that was used longest ago is forgotten first`() throws {
        var engine = EngineModel(try makeConfiguration(kvBlocks: 10))
        var hits: [Int] = []
        for family: UInt64 in [1, 2, 1, 3, 1, 2] {
            let before = engine.load.prefixHits
            let hashes = blocks(4, family: family)
            _ = try engine.submit(.init(promptTokens: 65, promptBlocks: hashes, outputTokens: 1), at: .zero)
            _ = engine.runToEnd()
            hits.append((engine.load.prefixHits - before) / 16)
        }
        // 1 and 2 fit beside the block that a request needs for itself; 3 pushes 2 out, all but its first block.
        #expect(hits == [0, 0, 4, 0, 4, 1])
    }

    @Test func `without memory the newest gives way, and everything still completes`() throws {
        var engine = EngineModel(try makeConfiguration(kvBlocks: 20))
        let ids = try (0..<4).map { _ in try engine.submit(.init(promptTokens: 60, outputTokens: 120), at: .zero) }
        let progress = engine.runToEnd()
        #expect(engine.load.preemptions > 0)
        #expect(progress.filter(\.isLast).map(\.id) == ids)
        for id in ids { #expect(progress.filter { $0.id == id }.reduce(0) { $0 + $1.tokens } == 120) }
        // What was taken had to be computed again.
        #expect(engine.load.tokensComputed > 4 * 179)
        #expect(engine.load.tokensGenerated == 480)
        #expect(engine.load.kvBlocksUsed == 0)
    }

    @Test func `limited memory preempts, and what does not fit waits until it comes back`() throws {
        var engine = EngineModel(try makeConfiguration(kvBlocks: 100))
        let ids = try (0..<2).map { _ in try engine.submit(.init(promptTokens: 100, outputTokens: 100), at: .zero) }
        _ = engine.advance(to: ms(500))
        #expect(engine.load.running == 2)
        engine.limitMemory(toBlocks: 8)
        _ = engine.advance(to: ms(600))
        #expect(engine.load.waiting > 0)
        #expect(engine.load.preemptions > 0)
        #expect(engine.load.kvBlocksUsed <= 8)
        _ = engine.advance(to: ms(20_000))
        // Neither fits with its whole output.
        #expect(engine.nextDue == nil)
        #expect(engine.load.running == 0)
        engine.limitMemory(toBlocks: nil)
        #expect(engine.runToEnd().filter(\.isLast).map(\.id) == ids)
        #expect(engine.fault == nil)
    }

    @Test func `no memory at all takes nothing and breaks nothing`() throws {
        var engine = EngineModel(try makeConfiguration())
        _ = try engine.submit(.init(promptTokens: 10, outputTokens: 10), at: .zero)
        engine.limitMemory(toBlocks: -5)
        _ = engine.advance(to: ms(100))
        #expect(engine.load.kvUsage == 1)
        #expect(throws: EngineModel.Refusal.outOfMemory) {
            try engine.submit(.init(promptTokens: 1, outputTokens: 1), at: ms(100))
        }
        engine.limitMemory(toBlocks: .max)
        #expect(engine.runToEnd().last?.isLast == true)
    }
}

@Suite struct BlockPoolTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `it agrees with a plain list`(seed: UInt64) {
        let random = RandomSource.seeded(seed)
        var pool = BlockPool(size: 8)
        var held: [Int32] = []
        var cached: [UInt64: Int32] = [:]
        for _ in 0..<500 {
            let hash = random.next(through: 11)
            switch random.next(through: 3) {
            case 0, 1:
                if let block = pool.share(hash) {
                    held.append(block)
                    #expect(cached[hash] == block, "seed \(seed)")
                } else if let block = pool.take() {
                    #expect(!held.contains(block), "seed \(seed)")
                    for (key, value) in cached where value == block { cached[key] = nil }
                    pool.cache(block, as: hash)
                    cached[hash] = block
                    held.append(block)
                } else {
                    #expect(Set(held).count >= pool.capacity, "seed \(seed)")
                }
            case 2:
                guard !held.isEmpty else { continue }
                pool.release([held.remove(at: Int(random.next(through: UInt64(held.count - 1))))])
            default:
                pool.capacity = 4 + Int(random.next(through: 4))
                pool.trim()
            }
            #expect(pool.used == Set(held).count, "seed \(seed)")
            #expect(pool.idle == 0 || pool.used + pool.idle <= pool.capacity, "seed \(seed)")
        }
        pool.release(held)
        #expect(pool.used == 0)
    }
}
