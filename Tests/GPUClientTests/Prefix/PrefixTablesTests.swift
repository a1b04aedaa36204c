import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Tables of the map of prefixes")
struct PrefixTablesTests {
    @Test("who holds what, against a dictionary, through growth and deletion", arguments: HashShape.allCases)
    func holders(shape: HashShape) {
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            // One by which some shapes lie in few slots.
            var table = HolderTable(multiplier: .goldenMultiplier), model: [UInt64: Set<Int>] = [:]
            // Below and above the first size, where it grows twice.
            let pool = (0..<[40, 130, 700][Int(seed) % 3]).map(shape.hash)
            for step in 1...4_000 {
                let hash = pool[Int.random(in: 0..<pool.count, using: &random)]
                let place = [0, 1, 63, 64, 255][Int.random(in: 0..<5, using: &random)]
                // It fills up and empties in turns.
                if Int.random(in: 0..<10, using: &random) < (step / 1_000 % 2 == 0 ? 8 : 2) {
                    table.insert(place, for: hash)
                    model[hash, default: []].insert(place)
                } else {
                    table.remove(place, for: hash)
                    model[hash]?.remove(place)
                    if model[hash]?.isEmpty == true { model[hash] = nil }
                }
                guard table.count == model.count else {
                    Issue.record("seed \(seed), step \(step): \(table.count) of \(model.count)")
                    return
                }
                guard step.isMultiple(of: 50) else { continue }
                for hash in pool where table.holders(of: hash).places != model[hash, default: []].sorted() {
                    Issue.record("seed \(seed), step \(step): \(hash)")
                    return
                }
            }
        }
    }

    @Test("the hash 0 is one as any other")
    func zero() {
        var table = HolderTable()
        #expect(table.holders(of: 0).isEmpty)
        table.insert(3, for: 0)
        table.insert(3, for: 0)
        #expect(table.count == 1)
        #expect(table.holders(of: 0).places == [3])
        table.remove(4, for: 0)
        #expect(table.count == 1)
        table.remove(3, for: 0)
        #expect(table.count == 0)
        #expect(table.holders(of: 0).isEmpty)
    }

    @Test("the order of use, against a list", arguments: HashShape.allCases)
    func recency(shape: HashShape) {
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var recency = Recency(multiplier: .goldenMultiplier), model: [UInt64] = []
            let pool = (0..<[3, 60, 300][Int(seed) % 3]).map(shape.hash)
            for step in 1...3_000 {
                let hash = pool[Int.random(in: 0..<pool.count, using: &random)]
                let known = model.firstIndex(of: hash)
                var isRight = true
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<(step / 750 % 2 == 0 ? 8 : 3):
                    isRight = recency.use(hash) == (known == nil)
                    if let known { model.remove(at: known) }
                    model.append(hash)
                case ..<9:
                    isRight = recency.remove(hash) == (known != nil)
                    if let known { model.remove(at: known) }
                default:
                    isRight = recency.removeOldest() == (model.isEmpty ? nil : model.removeFirst())
                }
                guard isRight, recency.count == model.count else {
                    Issue.record("seed \(seed), step \(step): \(recency.count) of \(model.count)")
                    return
                }
            }
            var left: [UInt64] = []
            while let hash = recency.removeOldest() { left.append(hash) }
            #expect(left == model, "seed \(seed)")
            #expect(recency.count == 0, "seed \(seed)")
        }
    }

    @Test("by what a table multiplies changes nothing that is told", arguments: HashShape.allCases)
    func multipliers(shape: HashShape) {
        for seed in 1...6 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let multipliers: [UInt64] = [.goldenMultiplier, 1, random.next() | 1, .randomMultiplier]
            var tables = multipliers.map { HolderTable(multiplier: $0) }
            var orders = multipliers.map { Recency(multiplier: $0) }
            let pool = (0..<300).map(shape.hash)
            for step in 1...2_000 {
                let hash = pool[Int.random(in: 0..<pool.count, using: &random)]
                let place = Int.random(in: 0..<4, using: &random), which = Int.random(in: 0..<5, using: &random)
                var told: Set<[UInt64]> = []
                for index in multipliers.indices {
                    if which < 3 {
                        tables[index].insert(place, for: hash)
                    } else {
                        tables[index].remove(place, for: hash)
                    }
                    let answer: UInt64 =
                        switch which {
                        case ..<3: orders[index].use(hash, place) ? 1 : 0
                        case 3: orders[index].remove(hash) ? 1 : 0
                        default: orders[index].removeOldest() ?? 0
                        }
                    let holders = tables[index].holders(of: hash).places.map { UInt64($0) }
                    let counts = [tables[index].count, orders[index].count, orders[index].tokens].map { UInt64($0) }
                    told.insert([answer] + counts + holders)
                }
                guard told.count == 1 else {
                    Issue.record("seed \(seed), step \(step): \(told)")
                    return
                }
            }
        }
    }

    @Test("each table has a multiplier of its own, by which hashes that were made for another are spread")
    func floods() {
        let own = (0..<100).map { _ in HolderTable().multiplier } + (0..<100).map { _ in Recency().multiplier }
        #expect(Set(own).count == 200 && own.allSatisfy { $0 % 2 == 1 })
        let random = RandomSource.seeded(7), multipliers = (0..<200).map { _ in random.next() | 1 }
        let places = 1 << 12, count = places / 2
        func meetings(_ hashes: [UInt64], by multiplier: UInt64) -> Int {
            var found = [Int](repeating: 0, count: places), pairs = 0
            for hash in hashes {
                let place = hash.spread(over: places, by: multiplier)
                pairs += found[place]
                found[place] += 1
            }
            return pairs
        }
        for shape in [HashShape.oneHome, .lastHome] {
            let hashes = (0..<count).map(shape.hash), pairs = count * (count - 1) / 2
            #expect(meetings(hashes, by: .goldenMultiplier) == pairs)
            let mean = multipliers.reduce(0) { $0 + meetings(hashes, by: $1) } / multipliers.count
            // Of all multipliers it is 2 of as many pairs as there are places; of these, not twice as many.
            #expect(mean < 4 * pairs / places, "\(shape): \(mean)")
        }
    }

    @Test("places of what is forgotten are used again: memory is that of the most at a time")
    func bounded() throws {
        var recency = Recency()
        for number in 0..<50_000 {
            var isRight = recency.use(HashShape.spread.hash(number))
            if recency.count > 100, recency.removeOldest() != HashShape.spread.hash(number - 100) { isRight = false }
            #expect(isRight)
        }
        #expect(recency.count == 100)
        let entries = try #require(Mirror(reflecting: recency).descendant("entries") as? any Collection)
        let buckets = try #require(Mirror(reflecting: recency).descendant("buckets") as? any Collection)
        #expect(entries.count == 101)
        #expect(buckets.count == 128)
    }

    @Test("sets of replicas, against sets of numbers")
    func sets() {
        var random = RandomSource.seeded(5)
        var sets = [ReplicaSet(), ReplicaSet()], models: [Set<Int>] = [[], []]
        for step in 1...5_000 {
            let place = Int.random(in: 0..<ReplicaSet.capacity, using: &random)
            let which = Int.random(in: 0...1, using: &random)
            if Int.random(in: 0..<5, using: &random) < (step / 1_000 % 2 == 0 ? 4 : 1) {
                sets[which].insert(place)
                models[which].insert(place)
            } else {
                sets[which].remove(place)
                models[which].remove(place)
            }
            #expect(sets[which].contains(place) == models[which].contains(place))
            guard step.isMultiple(of: 25) else { continue }
            #expect(sets[which].places == models[which].sorted(), "in order, step \(step)")
            #expect(sets[which].count == models[which].count)
            #expect(sets[which].isEmpty == models[which].isEmpty)
            #expect(sets[0].intersection(sets[1]).places == models[0].intersection(models[1]).sorted())
            #expect(sets[0].subtracting(sets[1]).places == models[0].subtracting(models[1]).sorted())
        }
        for place in 0..<ReplicaSet.capacity { sets[0].insert(place) }
        #expect(sets[0].places == Array(0..<256))
        #expect(sets[0].count == 256)
        #expect(sets[0].subtracting(sets[0]).isEmpty)
    }
}

extension ReplicaSet {
    fileprivate var places: [Int] {
        var places: [Int] = []
        forEach { places.append($0) }
        return places
    }
}
