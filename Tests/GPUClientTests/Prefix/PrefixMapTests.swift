import SpillwayCore
import Testing

@testable import GPUClient

@Suite("The map of prefixes")
struct PrefixMapTests {
    private func chain(_ count: Int, from first: Int = 0) -> [UInt64] {
        (first..<first + count).map(HashShape.spread.hash)
    }

    @Test("matches are those of brute force, whatever is recorded and lost", arguments: HashShape.allCases)
    func property(shape: HashShape) {
        for seed in 1...40 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let replicas = [1, 2, 3, 8, 70][Int(seed) % 5]
            var map = PrefixMap(replicas: replicas), slow = Array(repeating: SlowCache(), count: replicas)
            var tree = PromptTree(shape)
            // A replica's room changes while it serves.
            let rooms = [5, 20, 60, 400]
            for step in 1...300 {
                let prompt = tree.next(&random), place = Int.random(in: 0..<replicas, using: &random)
                guard map.lengths(prompt, replicas: replicas) == slow.map({ $0.run(prompt) }) else {
                    Issue.record("seed \(seed), step \(step): \(prompt)")
                    return
                }
                if Int.random(in: 0..<40, using: &random) == 0 {
                    map.forgetAll(at: place)
                    slow[place].forgetAll()
                } else {
                    let most = rooms[Int.random(in: 0..<4, using: &random)]
                    map.record(prompt, at: place, most: most)
                    slow[place].record(prompt, most: most)
                    #expect(map.count(at: place) <= most, "seed \(seed), step \(step)")
                }
                #expect(map.count(at: place) == slow[place].hashes.count, "seed \(seed), step \(step)")
            }
            #expect(map.count == Set(slow.flatMap(\.hashes)).count, "seed \(seed)")
            for place in 0..<replicas { map.forgetAll(at: place) }
            #expect(map.count == 0, "seed \(seed)")
        }
    }

    @Test("the ends of prompts go before their beginnings, and what was used least recently goes first")
    func order() {
        var map = PrefixMap(replicas: 1)
        let old = chain(10), new = chain(6, from: 100)
        map.record(old, at: 0, most: 12)
        map.record(new, at: 0, most: 12)
        #expect(map.lengths(old, replicas: 1) == [6])
        #expect(map.lengths(new, replicas: 1) == [6])
        // Used again, the old one's beginning is the last to go.
        map.record(Array(old.prefix(2)), at: 0, most: 12)
        map.record(chain(6, from: 200), at: 0, most: 12)
        #expect(map.lengths(old, replicas: 1) == [2])
        #expect(map.lengths(new, replicas: 1) == [4])
        map.record(chain(10, from: 300), at: 0, most: 12)
        #expect(map.lengths(old, replicas: 1) == [0])
        #expect(map.lengths(new, replicas: 1) == [0])
        #expect(map.lengths(chain(6, from: 200), replicas: 1) == [2])
    }

    @Test("a prompt longer than the cache leaves its beginning there, and nothing else")
    func longer() {
        var map = PrefixMap(replicas: 1)
        map.record(chain(5, from: 50), at: 0, most: 20)
        map.record(chain(1_000), at: 0, most: 20)
        #expect(map.lengths(chain(1_000), replicas: 1) == [20])
        #expect(map.lengths(chain(5, from: 50), replicas: 1) == [0])
        #expect(map.count(at: 0) == 20)
        map.record([], at: 0, most: 3)
        #expect(map.lengths(chain(1_000), replicas: 1) == [3], "a cache that turns out smaller shrinks at once")
        map.record(chain(9), at: 0, most: 0)
        #expect(map.count == 0)
    }

    @Test("a replica that has lost all; others keep theirs")
    func forget() {
        var map = PrefixMap(replicas: 3)
        let prompt = chain(100)
        for place in 0..<3 { map.record(prompt, at: place, most: 1_000) }
        map.forgetAll(at: 2)
        map.forgetAll(at: 2)
        #expect(map.lengths(prompt, replicas: 3) == [100, 100, 0])
        #expect(map.count == 100)
    }

    @Test("what a replica keeps is measured in tokens, whatever each hash stands for, and bounded in hashes")
    func measure() {
        var map = PrefixMap(replicas: 1)
        map.record(chain(100), at: 0, tokens: 128, most: 20_000)
        map.record([], at: 0, tokens: 1_000_000, most: 20_000)
        #expect(map.count == 100, "a prompt without hashes takes nothing away")
        map.record(chain(1, from: 900), at: 0, tokens: 10_000, most: 20_000)
        #expect(map.count == 79 && map.lengths(chain(100), replicas: 1) == [78])
        for first in 0..<8 { map.record(chain(10_000, from: 10_000 * (first + 1)), at: 0, tokens: 1, most: .max) }
        #expect(map.count == PrefixMap.mostHashes)
    }

    @Test("256 replicas, each with a beginning of its own length")
    func full() {
        let replicas = ReplicaSet.capacity
        var map = PrefixMap(replicas: replicas)
        let prompt = chain(300)
        let lengths = (0..<replicas).map { $0 * 167 % 300 }
        for place in 0..<replicas { map.record(Array(prompt.prefix(lengths[place])), at: place, most: 300) }
        #expect(map.lengths(prompt, replicas: replicas) == lengths)
        for count in [1, 2, 3, 63, 64, 65, 299] {
            let part = Array(prompt.prefix(count))
            #expect(map.lengths(part, replicas: replicas) == lengths.map { min($0, count) })
        }
        // What they share is kept once.
        #expect(map.count == lengths.max())
        #expect(map.lengths(chain(9, from: 5_000), replicas: replicas).allSatisfy { $0 == 0 })
        #expect(map.lengths([], replicas: replicas).allSatisfy { $0 == 0 })
    }

    @Test("a replica that joins holds nothing, and then what is recorded")
    func added() {
        var map = PrefixMap(replicas: 0)
        #expect(map.lengths(chain(3), replicas: 0) == [])
        map.add()
        map.record(chain(3), at: 0, most: 9)
        map.add()
        #expect(map.lengths(chain(3), replicas: 2) == [3, 0])
        map.record(chain(2), at: 1, most: 9)
        #expect(map.lengths(chain(3), replicas: 2) == [3, 2])
    }

    @Test("blocks that come twice in a prompt do no harm")
    func twice() {
        var map = PrefixMap(replicas: 1)
        map.record([1, 1, 2, 1, 2], at: 0, most: 9)
        #expect(map.count(at: 0) == 2)
        #expect(map.lengths([1, 1, 2, 1, 2, 3], replicas: 1) == [5])
        map.forgetAll(at: 0)
        #expect(map.count == 0)
    }

    /// In a list or in one run of slots, these would be a thousand million steps; some were made for a multiplier that is known.
    @Test(
        "hashes that are alike in many bits cost no more than others, nor do those that somebody made to meet",
        .timeLimit(.minutes(1)), arguments: [HashShape.small, .equalLow, .equalMiddle, .oneHome, .lastHome])
    func alike(shape: HashShape) {
        var map = PrefixMap(replicas: 1)
        let count = 60_000
        for first in stride(from: 0, to: count, by: 1_000) {
            map.record((first..<first + 1_000).map(shape.hash), at: 0, most: count)
        }
        #expect(map.count == count)
        #expect(map.lengths((0..<1_000).map(shape.hash), replicas: 1) == [1_000])
        map.forgetAll(at: 0)
        #expect(map.count == 0)
    }
}
