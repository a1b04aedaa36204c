import SpillwayCore
import Testing

@testable import SpillwayTesting

/// What happens to an engine in a test, from a seed.
private struct Story {
    enum Event { case submit(EngineModel.Request), cancel(Int), slow(Double), limit(Int?), fail }

    var events: [(at: Instant, what: Event)] = []

    init(seed: UInt64, faults: Bool) {
        let random = RandomSource.seeded(seed)
        func roll(_ most: UInt64) -> Int { Int(random.next(through: most)) }
        var now = 0.0
        var submitted = 0
        for _ in 0..<60 {
            now += [0, 0, Double(roll(40)), Double(roll(2_000)) / 7][roll(3)]
            switch roll(faults ? 11 : 8) {
            case 8: events.append((ms(now), .cancel(roll(UInt64(submitted + 1)))))
            case 9: events.append((ms(now), .slow([1, 1, 3, 0.5][roll(3)])))
            case 10: events.append((ms(now), .limit([nil, 10, 20][roll(2)])))
            case 11: if roll(4) == 0 { events.append((ms(now), .fail)) }
            default:
                let prompt = 1 + roll(120)
                let hashes = blocks(roll(UInt64(prompt / 16)), family: UInt64(roll(2)))
                let request = EngineModel.Request(
                    promptTokens: prompt, promptBlocks: hashes, outputTokens: roll(3) == 0 ? roll(3) : roll(90))
                events.append((ms(now), .submit(request)))
                submitted += 1
            }
        }
        events.append((ms(now), .limit(nil)))
        events.append((ms(now), .slow(1)))
    }

    /// Plays the story and runs to the end; `between` may move time in between as it likes.
    func play(
        _ configuration: EngineModel.Configuration, between: (inout EngineModel, Instant) -> [EngineModel.Progress]
    ) throws -> Ending {
        var engine = EngineModel(configuration)
        var ending = Ending()
        for event in events {
            ending.progress += between(&engine, event.at) + engine.advance(to: event.at)
            switch event.what {
            case .submit(let request):
                if let id = try? engine.submit(request, at: event.at) { ending.taken[id] = request.outputTokens }
            case .cancel(let id):
                let held = engine.holds(id)
                engine.cancel(id, at: event.at)
                if held { ending.dropped.append(id) }
            case .slow(let factor): engine.slowdown = factor
            case .limit(let blocks): engine.limitMemory(toBlocks: blocks)
            case .fail: ending.dropped += engine.fail()
            }
            if let fault = engine.fault { ending.faults.append(fault) }
        }
        ending.progress += engine.runToEnd()
        if let fault = engine.fault { ending.faults.append(fault) }
        ending.load = engine.load
        return ending
    }
}

private struct Ending: Equatable {
    var progress: [EngineModel.Progress] = []
    /// The tokens that each request asked for.
    var taken: [Int: Int] = [:]
    var dropped: [Int] = []
    var faults: [String] = []
    var load = EngineModel.Load()

    var finishes: [EngineModel.Progress] {
        progress.filter(\.isLast).map { .init(id: $0.id, tokens: 0, at: $0.at, isLast: true) }
    }
}

@Suite struct EnginePropertyTests {
    private static let seeds: ClosedRange<UInt64> = 1...300

    private func configuration(tokensPerChunk: Int = 8) throws -> EngineModel.Configuration {
        try makeConfiguration(
            kvBlocks: 24, maxRunning: 5, tokenBudget: 64, tokensPerChunk: tokensPerChunk,
            contextReadTime: .microseconds(7))
    }

    @Test func `every request ends once, in full or dropped, and gives all back`() throws {
        var preemptions = 0
        for seed in Self.seeds {
            let ending = try Story(seed: seed, faults: true).play(configuration()) { _, _ in [] }
            #expect(ending.faults.isEmpty, "seed \(seed): \(ending.faults)")
            let finished = ending.finishes.map(\.id)
            #expect((finished + ending.dropped).sorted() == ending.taken.keys.sorted(), "seed \(seed)")
            for id in finished {
                let tokens = ending.progress.filter { $0.id == id }.reduce(0) { $0 + $1.tokens }
                #expect(tokens == ending.taken[id], "seed \(seed), request \(id)")
            }
            #expect(ending.progress.map(\.at) == ending.progress.map(\.at).sorted(), "seed \(seed)")
            #expect(ending.load.kvBlocksUsed == 0, "seed \(seed)")
            #expect(ending.load.running + ending.load.waiting == 0, "seed \(seed)")
            preemptions += ending.load.preemptions
        }
        #expect(preemptions > 100)
    }

    @Test func `first tokens come in the order of arrival`() throws {
        for seed in Self.seeds {
            let ending = try Story(seed: seed, faults: true).play(configuration()) { _, _ in [] }
            var begun: [Int] = []
            for progress in ending.progress where !begun.contains(progress.id) { begun.append(progress.id) }
            #expect(begun == begun.sorted(), "seed \(seed)")
        }
    }

    @Test func `one leap equals many small steps`() throws {
        for seed in Self.seeds {
            let story = Story(seed: seed, faults: true)
            let leap = try story.play(configuration()) { _, _ in [] }
            let random = RandomSource.seeded(seed)
            var last = Instant.zero
            let small = try story.play(configuration()) { engine, until in
                var all: [EngineModel.Progress] = []
                while last < until {
                    last = last.advanced(by: .microseconds(Int64(random.next(through: 9_000)) + 1))
                    all += engine.advance(to: min(last, until))
                }
                last = until
                return all
            }
            #expect(leap == small, "seed \(seed)")
        }
    }

    @Test func `the size of the chunks changes no finish`() throws {
        for seed in Self.seeds {
            let story = Story(seed: seed, faults: true)
            let endings = try [1, 8, 50].map { size in
                try story.play(configuration(tokensPerChunk: size)) { _, _ in [] }
            }
            #expect(endings[0].finishes == endings[1].finishes, "seed \(seed)")
            #expect(endings[0].finishes == endings[2].finishes, "seed \(seed)")
            #expect(endings[0].load == endings[2].load, "seed \(seed)")
            #expect(endings[0].progress.count > endings[2].progress.count, "seed \(seed)")
        }
    }

    @Test func `no request starves while others keep coming`() throws {
        var engine = EngineModel(try makeConfiguration(kvBlocks: 40, maxRunning: 3))
        let large = EngineModel.Request(promptTokens: 400, outputTokens: 100)
        var waits: [Int: Instant] = [:]
        var longest = Duration.zero
        for turn in 0..<400 {
            let now = ms(Double(turn) * 700)
            for progress in engine.advance(to: now) where progress.isLast {
                longest = max(longest, waits.removeValue(forKey: progress.id)?.duration(to: progress.at) ?? .zero)
            }
            let request = turn.isMultiple(of: 5) ? large : .init(promptTokens: 8, outputTokens: 5)
            waits[try engine.submit(request, at: now)] = now
        }
        #expect(engine.load.waiting < 10)
        #expect(longest < .seconds(10))
    }

    @Test func `a saturated engine is as fast as its closed form`() throws {
        let count = 200
        var engine = EngineModel(try makeConfiguration(maxRunning: 20))
        for _ in 0..<count { _ = try engine.submit(.init(promptTokens: 1, outputTokens: 100), at: .zero) }
        let end = try #require(engine.runToEnd().last).at
        // A step of 20 requests: 20 ms of compute, which is more than the 10 ms of the weights, and 20 ms of overhead.
        let expected = Double(count * 100) / 20 * 0.040
        #expect(abs(Double(end.nanoseconds) / 1e9 / expected - 1) < 0.01)
    }
}
