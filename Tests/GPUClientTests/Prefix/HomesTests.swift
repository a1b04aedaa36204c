import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Homes of prompts")
struct HomesTests {
    private let share: Float = 0.5 / 8

    /// Calls of an application: a system prompt of all, then a document or tenant of a group, then what nobody shares.
    private func traffic(_ calls: Int, groups: Int, _ shape: HashShape, seed: UInt64) -> [[UInt64]] {
        var random = RandomSource.seeded(seed)
        return (0..<calls).map { call in
            let group = Int.random(in: 0..<groups, using: &random)
            let own = (0..<3).map { shape.hash(100_000 + call * 3 + $0) }
            return system(shape) + [shape.hash(1_000 + group * 2), shape.hash(1_001 + group * 2)] + own
        }
    }

    private func system(_ shape: HashShape) -> [UInt64] { (0..<4).map(shape.hash) }

    @Test(
        "many clients that see the same in different order agree, and never on what is shared by all",
        arguments: [HashShape.spread, .small, .equalLow], [20, 100, 400])
    func agreement(shape: HashShape, groups: Int) {
        for seed in 1...3 as ClosedRange<UInt64> {
            let all = traffic(3_000, groups: groups, shape, seed: seed)
            let clients = (0..<6).map { client in
                var homes = Homes(), random = RandomSource.seeded(seed &* 1_000 &+ UInt64(client))
                for prompt in all.shuffled(using: &random) { homes.note(prompt) }
                return homes
            }
            var agreed = 0, byGroup = 0
            for prompt in all {
                let keys = Set(clients.map { $0.key(prompt, share: share) })
                agreed += keys.count == 1 ? 1 : 0
                byGroup += keys == [prompt[4]] ? 1 : 0
                #expect(keys.isDisjoint(with: system(shape)), "seed \(seed)")
            }
            #expect(agreed >= all.count * 97 / 100, "seed \(seed): \(agreed) of \(all.count)")
            #expect(byGroup >= all.count * 97 / 100, "seed \(seed): \(byGroup) of \(all.count)")
        }
    }

    @Test("clients that see different parts of the traffic agree as well")
    func parts() {
        let all = traffic(12_000, groups: 100, .spread, seed: 9)
        let clients = (0..<6).map { client in
            var homes = Homes()
            for index in stride(from: client, to: all.count, by: 6) { homes.note(all[index]) }
            return homes
        }
        let agreed = all.count { prompt in Set(clients.map { $0.key(prompt, share: share) }) == [prompt[4]] }
        #expect(agreed >= all.count * 97 / 100, "\(agreed) of \(all.count)")
    }

    @Test("a prompt that nobody has seen is at home with its first hash; one without hashes nowhere")
    func unseen() {
        var homes = Homes()
        #expect(homes.key([7, 8, 9], share: share) == 7)
        #expect(homes.key([], share: share) == nil)
        for prompt in traffic(2_000, groups: 50, .spread, seed: 1) { homes.note(prompt) }
        for number in 0..<1_000 {
            let prompt = (0..<3).map { HashShape.spread.hash(9_000_000 + number * 3 + $0) }
            #expect(homes.key(prompt, share: share) == prompt[0])
        }
        homes.note([])
        #expect(homes.key([], share: share) == nil)
    }

    @Test("a group that is too large for one replica is divided by what follows")
    func large() {
        var homes = Homes(), random = RandomSource.seeded(3)
        let prompts = (0..<4_000).map { call in
            // Three in ten are of one group, which has 40 parts.
            let part = Int.random(in: 0..<40, using: &random)
            return call % 10 < 3
                ? [1, 2, 100 + UInt64(part), UInt64(10_000 + call)]
                : [1, 1_000 + UInt64(part), UInt64(10_000 + call)]
        }
        for prompt in prompts { homes.note(prompt) }
        let right = prompts.count { homes.key($0, share: share) == $0[$0[1] == 2 ? 2 : 1] }
        #expect(right >= prompts.count * 97 / 100, "\(right) of \(prompts.count)")
    }

    @Test("what all share as far as it is looked at has no home")
    func shared() {
        var homes = Homes()
        let long = (0..<80).map(HashShape.spread.hash)
        for _ in 0..<500 { homes.note(long) }
        #expect(homes.key(long, share: share) == nil)
        #expect(homes.key(Array(long.prefix(3)), share: share) == nil)
        let other = long[0..<3] + [HashShape.spread.hash(5_000)]
        #expect(homes.key(Array(other), share: share) == other[3])
    }

    @Test("few calls tell nothing: what was seen no more than eight times is a home")
    func early() {
        var homes = Homes()
        for _ in 0..<8 { homes.note([1, 2]) }
        #expect(homes.key([1, 2], share: share) == 1)
        homes.note([1, 2])
        #expect(homes.key([1, 2], share: share) == 2 || homes.key([1, 2], share: share) == nil)
    }

    @Test("a system prompt that is out of use is forgotten in time")
    func outOfUse() {
        var homes = Homes()
        for prompt in traffic(5_000, groups: 50, .spread, seed: 2) { homes.note(prompt) }
        let old = system(.spread) + [HashShape.spread.hash(1_000)]
        #expect(homes.key(old, share: share) == old[4])
        for call in 0..<60_000 { homes.note([3, UInt64(100 + call % 50)]) }
        #expect(homes.key(old, share: share) == old[0])
        #expect(homes.key([3, 100], share: share) == 100)
    }

    @Test("memory is bounded, whatever is seen")
    func bounded() throws {
        var homes = Homes()
        let cells = try #require(Mirror(reflecting: homes).descendant("cells") as? any Collection)
        for number in 0..<100_000 { homes.note([1, HashShape.spread.hash(number)]) }
        let after = try #require(Mirror(reflecting: homes).descendant("cells") as? any Collection)
        #expect(after.count == cells.count)
        // Once in a while something strange comes by: it does not push out what is shared.
        #expect(homes.key([1, 77], share: share) == 77)
    }
}
