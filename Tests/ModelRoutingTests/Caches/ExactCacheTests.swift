import SpillwayCore
import Synchronization
import Testing

@testable import ModelRouting

@Suite struct ExactCacheTests {
    private func cache(
        bytes: Int = 1 << 20, ttl: Double = 10, stale: Double = 0
    ) throws -> ExactCache<String> {
        try ExactCache(.init(bytes: bytes, ttl: .seconds(ttl), staleIfError: .seconds(stale))) { $0.utf8.count }
    }

    @Test func `what was stored is given, as fresh and with its age`() throws {
        let cache = try cache()
        #expect(cache.lookup(key("a"), at: at(0)) == nil)
        #expect(cache.store("answer", for: key("a"), at: at(1)))
        let hit = try #require(cache.lookup(key("a"), at: at(4)))
        #expect(hit.value == "answer" && hit.origin == .fresh && hit.age == .seconds(3) && hit.isSaved)
        #expect(cache.lookup(key("b"), at: at(4)) == nil)
        let counts = cache.counts
        #expect((counts.hits, counts.misses, counts.stale, counts.evicted, counts.entries) == (1, 2, 0, 0, 1))
        #expect(counts.bytes == 6 + ExactCache<String>.overhead)
    }

    @Test func `tenants never get each other's answers`() throws {
        let cache = try cache()
        cache.store("of acme", for: key("a", "acme"), at: at(0))
        cache.store("of nobody", for: key("a", nil), at: at(0))
        cache.store("of all", for: CacheKey("a", for: .shared, seed: 1), at: at(0))
        #expect(cache.lookup(key("a", "globex"), at: at(0)) == nil)
        #expect(cache.lookup(key("a", ""), at: at(0)) == nil)
        #expect(cache.lookup(key("a", "acme"), at: at(0))?.value == "of acme")
        #expect(cache.lookup(key("a", nil), at: at(0))?.value == "of nobody")
        #expect(cache.lookup(CacheKey("a", for: .shared, seed: 1), at: at(0))?.value == "of all")
    }

    @Test func `an answer is fresh until its time, stale until the second limit, and then gone`() throws {
        let cache = try cache(ttl: 10, stale: 5)
        cache.store("x", for: key("a"), at: at(100))
        let before = Instant(nanoseconds: at(110).nanoseconds - 1), end = Instant(nanoseconds: at(115).nanoseconds - 1)
        #expect(cache.lookup(key("a"), at: before)?.origin == .fresh)
        #expect(cache.lookup(key("a"), at: before, allowingStale: true)?.origin == .fresh)
        #expect(cache.lookup(key("a"), at: at(110)) == nil)
        #expect(cache.lookup(key("a"), at: at(110), allowingStale: true)?.origin == .stale)
        #expect(cache.lookup(key("a"), at: end, allowingStale: true)?.age == .nanoseconds(14_999_999_999))
        #expect(cache.counts.entries == 1)
        #expect(cache.lookup(key("a"), at: at(115), allowingStale: true) == nil)
        #expect(cache.counts.entries == 0 && cache.counts.bytes == 0)
        #expect(cache.counts.stale == 2)
    }

    @Test func `a clock that goes back makes an answer new, and no older or younger than that`() throws {
        let cache = try cache(ttl: 10)
        cache.store("x", for: key("a"), at: at(1_000))
        #expect(cache.lookup(key("a"), at: at(5))?.age == .zero)
        #expect(cache.lookup(key("a"), at: at(14.999))?.age == .milliseconds(9_999))
        #expect(cache.lookup(key("a"), at: at(15)) == nil)
    }

    @Test func `times at their ends`() throws {
        let cache = try cache(ttl: 315_576_000, stale: 315_576_000)
        cache.store("x", for: key("a"), at: Instant(nanoseconds: .min))
        #expect(cache.lookup(key("a"), at: .distantFuture, allowingStale: true) == nil)
        cache.store("x", for: key("a"), at: .distantFuture)
        #expect(cache.lookup(key("a"), at: .distantFuture)?.age == .zero)
    }

    @Test func `a later answer takes the place of an earlier one`() throws {
        let cache = try cache()
        cache.store("first", for: key("a"), at: at(0))
        cache.store("second!", for: key("a"), at: at(5))
        #expect(cache.lookup(key("a"), at: at(12))?.value == "second!")
        #expect(cache.counts.entries == 1 && cache.counts.bytes == 7 + ExactCache<String>.overhead)
    }

    @Test func `what is larger than the cache is not kept, nor what it would have replaced`() throws {
        let cache = try cache(bytes: 4_096)
        let fitting = String(repeating: "x", count: 4_096 - ExactCache<String>.overhead)
        #expect(cache.store("small", for: key("a"), at: at(0)))
        #expect(cache.store("other", for: key("b"), at: at(0)))
        #expect(!cache.store(fitting + "x", for: key("a"), at: at(1)))
        #expect(cache.lookup(key("a"), at: at(1)) == nil)
        #expect(cache.lookup(key("b"), at: at(1)) != nil)
        #expect(cache.store(fitting, for: key("a"), at: at(1)))
        #expect(cache.counts.bytes == 4_096 && cache.counts.entries == 1 && cache.counts.evicted == 1)
    }

    @Test func `what is asked for again outlives what is asked for but once`() throws {
        let room = 10 * (ExactCache<String>.overhead + 1)
        let cache = try cache(bytes: room)
        for number in 0..<5 { cache.store("x", for: key("popular \(number)"), at: at(0)) }
        for number in 0..<1_000 {
            for popular in 0..<5 { #expect(cache.lookup(key("popular \(popular)"), at: at(0)) != nil) }
            cache.store("x", for: key("once \(number)"), at: at(0))
            #expect(cache.counts.bytes <= room)
        }
        #expect(cache.counts.entries == 10 && cache.counts.evicted == 995)
    }

    @Test func `too old makes room before what is fresh`() throws {
        let cache = try cache(bytes: 10 * (ExactCache<String>.overhead + 1), ttl: 10, stale: 10)
        for number in 0..<10 {
            cache.store("x", for: key("\(number)"), at: at(number < 5 ? 0 : 15))
            _ = cache.lookup(key("\(number)"), at: at(number < 5 ? 0 : 15))
        }
        for number in 0..<5 { cache.store("x", for: key("new \(number)"), at: at(20)) }
        for number in 5..<10 { #expect(cache.lookup(key("\(number)"), at: at(20)) != nil) }
    }

    @Test func `one answer is forgotten, or those of a tenant, or all`() throws {
        let cache = try cache()
        func fill() {
            for number in 0..<100 { cache.store("x", for: key("\(number)", ["acme", nil][number % 2]), at: at(0)) }
        }
        fill()
        #expect(cache.remove(key("0")) && !cache.remove(key("0")) && !cache.remove(key("1")))
        cache.removeAll(for: .tenant(nil), seed: 1)
        #expect(cache.counts.entries == 49)
        #expect(cache.lookup(key("1", nil), at: at(0)) == nil && cache.lookup(key("2"), at: at(0)) != nil)
        fill()
        cache.removeAll()
        #expect(cache.counts.entries == 0 && cache.counts.bytes == 0 && cache.counts.evicted == 0)
    }

    @Test func `an update keeps what fits, and its times count for what is there`() throws {
        let cache = try cache(ttl: 10)
        for number in 0..<100 { cache.store("x", for: key("\(number)"), at: at(0)) }
        let room = 50 * (ExactCache<String>.overhead + 1)
        try cache.update(.init(bytes: room, ttl: .seconds(100)), at: at(1))
        #expect(cache.counts.entries == 50 && cache.counts.bytes == room)
        #expect(cache.lookup(key("99"), at: at(99)) != nil)
        #expect(throws: ConfigurationError.self) { try cache.update(.init(bytes: 3), at: at(1)) }
        #expect(cache.configuration.bytes == room)
    }

    @Test(arguments: [
        (1_023, 10.0, 0.0, "bytes"), (-1, 10, 0, "bytes"), (1 << 40 + 1, 10, 0, "bytes"), (4_096, 0, 0, "ttl"),
        (4_096, -1, 0, "ttl"), (4_096, 4e8, 0, "ttl"), (4_096, 1, -1, "staleIfError"), (4_096, 1, 4e8, "staleIfError"),
    ])
    func `what cannot work is refused by name`(bytes: Int, ttl: Double, stale: Double, field: String) {
        let error = #expect(throws: ConfigurationError.self) { try cache(bytes: bytes, ttl: ttl, stale: stale) }
        #expect(error?.field == field)
    }

    @Test func `sizes that make no sense`() throws {
        let cache = try ExactCache<Int>(.init(bytes: 1_024)) { $0 }
        #expect(cache.store(-5, for: key("a"), at: at(0)))
        #expect(cache.counts.bytes == ExactCache<Int>.overhead)
        #expect(!cache.store(.max, for: key("b"), at: at(0)))
    }

    /// Says when it goes, and asks the cache then.
    private final class Witness: Sendable {
        let gone: @Sendable () -> Void
        init(_ gone: @escaping @Sendable () -> Void) { self.gone = gone }
        deinit { gone() }
    }

    @Test func `values are let go, each once, and outside of the lock`() throws {
        let count = Atomic(0)
        final class Box: Sendable {
            let cache: ExactCache<Witness>
            init() throws { cache = try ExactCache(.init(bytes: 4_096, ttl: .seconds(10))) { _ in 200 } }
        }
        var box: Box? = try Box()
        for number in 0..<100 {
            let witness = Witness { [weak box] in
                count.add(1, ordering: .relaxed)
                // Would wait for itself under the lock.
                _ = box?.cache.counts
            }
            box?.cache.store(witness, for: key("\(number % 40)"), at: at(Double(number)))
        }
        let kept = try #require(box).cache.counts.entries
        #expect(kept > 5 && count.load(ordering: .relaxed) == 100 - kept)
        _ = box?.cache.lookup(key("19"), at: at(1_000))
        #expect(count.load(ordering: .relaxed) >= 100 - kept)
        box = nil
        #expect(count.load(ordering: .relaxed) == 100)
    }

    @Test func `threads together never pass the bound`() async throws {
        let room = 40 * (ExactCache<Int>.overhead + 50)
        let cache = try ExactCache<Int>(.init(bytes: room)) { $0 % 100 }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    let random = RandomSource.seeded(UInt64(task))
                    for _ in 0..<5_000 {
                        let number = random.upTo(99)
                        if let hit = cache.lookup(key("\(number)"), at: at(0)) {
                            #expect(hit.value % 1_000 == number)
                        } else {
                            cache.store(random.upTo(50) * 1_000 + number, for: key("\(number)"), at: at(0))
                        }
                        #expect(cache.counts.bytes <= room)
                    }
                }
            }
        }
        let counts = cache.counts
        #expect(counts.hits + counts.misses == 20_000 && counts.entries > 20)
    }
}
