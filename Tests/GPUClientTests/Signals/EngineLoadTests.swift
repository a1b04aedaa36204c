import GPUClient
import SpillwayCore
import Testing

@Suite("Load of an engine")
struct EngineLoadTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test("a scrape and a header mix, each value with its age")
    func mix() {
        var load = EngineLoad(at: at(10), waiting: 5, running: 7, kvUse: 0.5, blocks: 100)
        load.update(OrcaReport("named_metrics.num_requests_waiting=2", at: at(11)).load)
        #expect(load.waiting == 2 && load.running == 7 && load.kvUse == 0.5)
        #expect(load.age(of: .waiting, at: at(12)) == .seconds(1) && load.age(of: .running, at: at(12)) == .seconds(2))
        // A scrape that was begun before the header came must not undo it.
        load.update(EngineLoad(at: at(10), waiting: 9, running: 9))
        #expect(load.waiting == 2 && load.running == 9)
        #expect(load.age(of: .hitRate, at: at(12)) == nil && load.said(.hitRate) == nil)
        #expect(load.age(of: .waiting, at: at(3)) == .zero)
    }

    @Test("what cannot be is left out")
    func impossible() {
        let load = EngineLoad(
            at: at(1), waiting: -1, running: .min, kvUse: 1.1, blockSize: 0, blocks: -1, prefixQueries: -1,
            prefixHits: .min, hitRate: .nan, preemptions: -1)
        #expect(load.isEmpty && load == EngineLoad())
    }

    @Test("free blocks are rounded down, and reuse is counted between two pages")
    func derived() {
        #expect(EngineLoad(at: at(1), kvUse: 0.999, blocks: 100).freeBlocks == 0)
        #expect(EngineLoad(at: at(1), kvUse: 0, blocks: 100).freeBlocks == 100)
        #expect(EngineLoad(at: at(1), kvUse: 0.5).freeBlocks == nil)
        let old = EngineLoad(at: at(1), prefixQueries: 1_000, prefixHits: 100)
        #expect(EngineLoad(at: at(2), prefixQueries: 2_000, prefixHits: 850).reuse(since: old) == 0.75)
        #expect(EngineLoad(at: at(2), prefixQueries: 1_000, prefixHits: 100).reuse(since: old) == nil)
        // It began anew.
        #expect(EngineLoad(at: at(2), prefixQueries: 50, prefixHits: 50).reuse(since: old) == nil)
        #expect(EngineLoad(at: at(2), prefixQueries: 5_000).reuse(since: old) == nil)
    }

    @Test("it prints what was said")
    func description() {
        #expect("\(EngineLoad())" == "nothing said")
        #expect(
            "\(EngineLoad(at: at(1), waiting: 3, running: 17, kvUse: 0.4125, blockSize: 16, blocks: 27_482))"
                == "waiting 3, running 17, memory 41%, 27482 blocks of 16")
        #expect("\(EngineLoad(at: at(1), prefixQueries: 9, prefixHits: 4))" == "prefix hits 4 of 9")
    }

    @Test("of every value the newest stays, in whatever order they come")
    func newest() {
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var load = EngineLoad()
            var waiting: (Int64, Int)?, use: (Int64, Double)?, hits: (Int64, Int64)?
            for _ in 0..<12 {
                let second = Int64.random(in: 0...20, using: &random)
                let newWaiting = Bool.random(using: &random) ? Int.random(in: 0...9, using: &random) : nil
                let newUse = Bool.random(using: &random) ? Double.random(in: 0...1, using: &random) : nil
                let newHits = Bool.random(using: &random) ? Int64.random(in: 0...9, using: &random) : nil
                load.update(EngineLoad(at: at(second), waiting: newWaiting, kvUse: newUse, prefixHits: newHits))
                if let newWaiting, second >= waiting?.0 ?? .min { waiting = (second, newWaiting) }
                if let newUse, second >= use?.0 ?? .min { use = (second, newUse) }
                if let newHits, second >= hits?.0 ?? .min { hits = (second, newHits) }
            }
            #expect(load.waiting == waiting?.1 && load.kvUse == use?.1 && load.prefixHits == hits?.1, "seed \(seed)")
            #expect(load.said(.waiting) == waiting.map { at($0.0) } && load.said(.kvUse) == use.map { at($0.0) })
            #expect(load.said(.running) == nil)
        }
    }
}
