import SpillwayCore
import Synchronization
import Testing

@testable import ModelRouting

@Suite struct SemanticCacheTests {
    private func cache(
        _ dimension: Int = 4, capacity: Int = 100, threshold: Double = 0.98, ttl: Double = 10
    ) throws -> SemanticCache<Int> {
        try SemanticCache(
            .init(dimension: dimension, capacity: capacity, threshold: threshold, ttl: .seconds(ttl)))
    }

    private let mine = CachePartition.tenant("acme")

    @Test func `what is close enough is found, and the closest of it`() throws {
        let cache = try cache()
        try cache.store(1, at: [1, 0, 0, 0], for: mine, at: at(0))
        try cache.store(2, at: [10, 1, 0, 0], for: mine, at: at(1))
        let hit = try #require(try cache.lookup([2, 0.15, 0, 0], for: mine, at: at(4)))
        #expect(hit.value == 2 && abs(hit.similarity - 0.9997) < 1e-4 && hit.age == .seconds(3))
        #expect(try cache.lookup([1, 0, 0, 0], for: mine, at: at(4))?.value == 1)
        #expect(try cache.lookup([1, 1, 0, 0], for: mine, at: at(4)) == nil)
        #expect(try cache.lookup([-1, 0, 0, 0], for: mine, at: at(4)) == nil)
        let counts = cache.counts
        #expect(counts.hits == 2 && counts.misses == 2 && counts.entries == 2)
    }

    @Test func `the threshold is a bound that counts itself`() throws {
        // The cosine of (1, 0) and (3, 4) is 0.6.
        for (threshold, isClose) in [(0.5999, true), (0.6, true), (0.6001, false)] {
            let cache = try cache(2, threshold: threshold)
            try cache.store(1, at: [1, 0], for: mine, at: at(0))
            #expect(try (cache.lookup([3, 4], for: mine, at: at(0)) != nil) == isClose)
        }
    }

    @Test func `tenants and contexts never mix`() throws {
        let cache = try cache(), vector: [Float] = [1, 2, 3, 4]
        try cache.store(1, at: vector, for: mine, at: at(0))
        try cache.store(2, at: vector, for: .tenant(nil), at: at(0))
        try cache.store(3, at: vector, for: .shared, at: at(0))
        try cache.store(4, at: vector, for: mine, context: "large", at: at(0))
        #expect(try cache.lookup(vector, for: .tenant("globex"), at: at(0)) == nil)
        #expect(try cache.lookup(vector, for: .tenant("globex"), context: "large", at: at(0)) == nil)
        #expect(try cache.lookup(vector, for: mine, context: "small", at: at(0)) == nil)
        #expect(try cache.lookup(vector, for: mine, at: at(0))?.value == 1)
        #expect(try cache.lookup(vector, for: .tenant(nil), at: at(0))?.value == 2)
        #expect(try cache.lookup(vector, for: .shared, at: at(0))?.value == 3)
        #expect(try cache.lookup(vector, for: mine, context: "large", at: at(0))?.value == 4)
        cache.removeAll(for: mine)
        #expect(cache.counts.entries == 2)
        #expect(try cache.lookup(vector, for: mine, context: "large", at: at(0)) == nil)
        #expect(try cache.lookup(vector, for: .shared, at: at(0))?.value == 3)
        cache.removeAll()
        #expect(cache.counts.entries == 0)
    }

    @Test func `an answer is given until its time`() throws {
        let cache = try cache(ttl: 10), vector: [Float] = [1, 2, 3, 4]
        try cache.store(1, at: vector, for: mine, at: at(100))
        #expect(try cache.lookup(vector, for: mine, at: Instant(nanoseconds: at(110).nanoseconds - 1)) != nil)
        #expect(try cache.lookup(vector, for: mine, at: at(110)) == nil)
        // The clock goes back: it is new from then on.
        #expect(try cache.lookup(vector, for: mine, at: at(5))?.age == .zero)
        #expect(try cache.lookup(vector, for: mine, at: at(14))?.age == .seconds(9))
        #expect(try cache.lookup(vector, for: mine, at: at(15)) == nil)
        #expect(try cache.lookup(vector, for: mine, at: Instant(nanoseconds: .min)) != nil)
    }

    @Test func `the same vector again takes the place of the old one`() throws {
        let cache = try cache(capacity: 3)
        for number in 0..<50 {
            try cache.store(number, at: [Float(1 + number), 0, 0, 0], for: mine, at: at(Double(number)))
        }
        #expect(cache.counts.entries == 1 && cache.counts.evicted == 0)
        let hit = try cache.lookup([1, 0, 0, 0], for: mine, at: at(50))
        #expect(hit?.value == 49 && hit?.age == .seconds(1))
    }

    @Test func `what was given gets a second chance, what is too old does not`() throws {
        let cache = try cache(16, capacity: 10, ttl: 10)
        func axis(_ number: Int) -> [Float] { (0..<16).map { $0 == number % 16 ? 1 : $0 == (number / 16) ? 0.5 : 0 } }
        for number in 0..<10 { try cache.store(number, at: axis(number), for: mine, at: at(number < 5 ? 0 : 9)) }
        for number in 0..<10 { #expect(try cache.lookup(axis(number), for: mine, at: at(9))?.value == number) }
        // 0 to 4 are too old now.
        for number in 10..<15 { try cache.store(number, at: axis(number), for: mine, at: at(12)) }
        for number in 5..<15 { #expect(try cache.lookup(axis(number), for: mine, at: at(12))?.value == number) }
        #expect(cache.counts.entries == 10 && cache.counts.evicted == 5)
        // All were given: the next in turn goes, after one turn.
        try cache.store(15, at: axis(15), for: mine, at: at(12))
        #expect(cache.counts.entries == 10 && cache.counts.evicted == 6)
    }

    @Test func `vectors that cannot be compared are refused by name`() throws {
        let cache = try cache()
        func refusal(_ vector: [Float]) -> [VectorError?] {
            [
                #expect(throws: VectorError.self) { try cache.lookup(vector, for: mine, at: at(0)) },
                #expect(throws: VectorError.self) { try cache.store(1, at: vector, for: mine, at: at(0)) },
            ]
        }
        #expect(refusal([1, 2, 3]) == [.dimension(3, expected: 4), .dimension(3, expected: 4)])
        #expect(refusal([]) == [.dimension(0, expected: 4), .dimension(0, expected: 4)])
        #expect(refusal([1, 2, .nan, 4]) == [.notFinite(component: 2), .notFinite(component: 2)])
        #expect(refusal([1, -.infinity, 0, 4]) == [.notFinite(component: 1), .notFinite(component: 1)])
        #expect(refusal([0, 0, -0.0, 0]) == [.zero, .zero])
        #expect(cache.counts.entries == 0 && cache.counts.misses == 0)
        // The smallest and the largest there are have a direction.
        let small = [Float](repeating: .leastNonzeroMagnitude, count: 4),
            large = small.map { _ in Float.greatestFiniteMagnitude }
        try cache.store(1, at: small, for: mine, at: at(0))
        #expect(try cache.lookup(large, for: mine, at: at(0))?.value == 1)
    }

    @Test(arguments: [
        (0, 10, 0.98, 10.0, "dimension"), (16_385, 10, 0.98, 10, "dimension"), (4, 0, 0.98, 10, "capacity"),
        (4, 100_001, 0.98, 10, "capacity"), (4, 10, -0.1, 10, "threshold"), (4, 10, 1, 10, "threshold"),
        (4, 10, .nan, 10, "threshold"), (4, 10, 0.98, 0, "ttl"),
    ])
    func `what cannot work is refused by name`(
        dimension: Int, capacity: Int, threshold: Double, ttl: Double, field: String
    ) {
        let error = #expect(throws: ConfigurationError.self) {
            try cache(dimension, capacity: capacity, threshold: threshold, ttl: ttl)
        }
        #expect(error?.field == field)
    }

    @Test func `an update changes threshold and time, and nothing else`() throws {
        let cache = try cache(2), old = cache.configuration
        try cache.store(1, at: [1, 0], for: mine, at: at(0))
        var configuration = old
        (configuration.threshold, configuration.ttl) = (0.5, .seconds(100))
        try cache.update(configuration)
        #expect(try cache.lookup([3, 4], for: mine, at: at(99))?.value == 1)
        for change in [\SemanticCache<Int>.Configuration.dimension, \.capacity] {
            var other = configuration
            other[keyPath: change] += 1
            #expect(throws: ConfigurationError.self) { try cache.update(other) }
        }
        #expect(cache.configuration == configuration)
    }

    @Test func `finds what a list would, through blocks, tenants and evictions`() throws {
        try forEachSeed(1...30) { seed, random in
            let dimension = [3, 20, 64][Int(seed % 3)], capacity = [40, 200][Int(seed % 2)]
            let configuration = SemanticCache<Int>.Configuration(
                dimension: dimension, capacity: capacity, threshold: 0.9, ttl: .seconds(1_000))
            let cache = try SemanticCache<Int>(configuration, perBlock: 1 + random.upTo(60))
            let centres = (0..<5).map { _ in randomVector(dimension, random) }
            var kept: [(vector: [Float], tenant: String, value: Int)] = []
            func vector() -> [Float] { near(centres[random.upTo(4)], [0.01, 0.2, 0.5][random.upTo(2)], random) }
            for step in 0..<400 {
                let tenant = ["a", "b", "c"][random.upTo(2)], one = vector(), now = at(Double(step))
                if random.upTo(1) == 0 {
                    try cache.store(step, at: one, for: .tenant(tenant), at: now)
                    kept.append((one, tenant, step))
                    continue
                }
                let found = try cache.lookup(one, for: .tenant(tenant), at: now)
                let all = kept.filter { $0.tenant == tenant }.map { ($0.value, cosine($0.vector, one)) }
                if let found {
                    let own = all.first { $0.0 == found.value }
                    #expect(own.map { abs($0.1 - found.similarity) < 1e-5 } == true, "seed \(seed)")
                }
                // As long as nothing was thrown out, it is the closest of all.
                guard kept.count <= capacity else { continue }
                let best = all.map(\.1).max() ?? -1
                if best > 0.90001 { #expect(found.map { abs($0.similarity - best) < 1e-5 } == true, "seed \(seed)") }
                if best < 0.89999 { #expect(found == nil, "seed \(seed)") }
            }
            #expect(cache.counts.entries == min(capacity, kept.count))
        }
    }

    private func cosine(_ left: [Float], _ right: [Float]) -> Double {
        func product(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        return product(left, right) / (product(left, left) * product(right, right)).squareRoot()
    }

    @Test func `threads that search while others change find only what is theirs`() async throws {
        let cache = try cache(64, capacity: 300, threshold: 0.5, ttl: 1_000)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    let random = RandomSource.seeded(UInt64(task)), tenant = CachePartition.tenant("\(task)")
                    for number in 0..<500 {
                        let vector = randomVector(64, random)
                        do {
                            try cache.store(number * 4 + task, at: vector, for: tenant, at: at(0))
                            if let hit = try cache.lookup(vector, for: tenant, at: at(0)) {
                                #expect(hit.value % 4 == task)
                            }
                        } catch { Issue.record(error) }
                    }
                }
            }
        }
        let counts = cache.counts
        #expect(counts.entries == 300 && counts.hits > 500 && counts.evicted == 2_000 - 300)
    }

    @Test func `values are let go outside of the locks`() throws {
        final class Witness: Sendable {
            let gone: @Sendable () -> Void
            init(_ gone: @escaping @Sendable () -> Void) { self.gone = gone }
            deinit { gone() }
        }
        final class Box: Sendable {
            let cache: SemanticCache<Witness>
            init() throws { cache = try SemanticCache(.init(dimension: 2, capacity: 5)) }
        }
        let count = Atomic(0)
        var box: Box? = try Box()
        for number in 0..<20 {
            let witness = Witness { [weak box] in
                count.add(1, ordering: .relaxed)
                _ = box?.cache.counts
            }
            try box?.cache.store(witness, at: [1, Float(number % 9)], for: .shared, at: at(0))
        }
        #expect(count.load(ordering: .relaxed) == 15)
        box?.cache.removeAll()
        #expect(count.load(ordering: .relaxed) == 20)
        box = nil
    }
}
