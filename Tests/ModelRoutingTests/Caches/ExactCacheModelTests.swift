import SpillwayCore
import Testing

@testable import ModelRouting

/// SIEVE over an array, as the paper has it, with ages.
private struct Model {
    struct Entry {
        let key: CacheKey
        let value: Int
        var stored: Int64
        let bytes: Int
        var visited = false
    }

    var limit: Int
    let fresh: Int64
    let kept: Int64
    /// The oldest first.
    var entries: [Entry] = []
    var hand: CacheKey?
    var evicted = 0
    var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    func place(_ key: CacheKey) -> Int? { entries.firstIndex { $0.key == key } }

    mutating func age(_ place: Int, _ now: Int64) -> Int64 {
        entries[place].stored = min(entries[place].stored, now)
        return now - entries[place].stored
    }

    mutating func remove(_ place: Int) {
        if hand == entries[place].key { hand = place + 1 < entries.count ? entries[place + 1].key : nil }
        entries.remove(at: place)
    }

    mutating func look(_ key: CacheKey, _ now: Int64, stale: Bool) -> (value: Int, origin: CacheOrigin, age: Int64)? {
        guard let place = place(key) else { return nil }
        let age = age(place, now)
        if age < fresh || (stale && age < kept) {
            entries[place].visited = true
            return (entries[place].value, age < fresh ? .fresh : .stale, age)
        }
        if age >= kept { remove(place) }
        return nil
    }

    mutating func trim(_ more: Int, _ now: Int64) {
        while bytes + more > limit, !entries.isEmpty {
            var at = hand.flatMap { place($0) } ?? 0
            while entries[at].visited, age(at, now) < kept {
                entries[at].visited = false
                at = (at + 1) % entries.count
            }
            hand = entries[at].key
            remove(at)
            evicted += 1
        }
    }

    mutating func store(_ key: CacheKey, _ value: Int, _ bytes: Int, _ now: Int64) -> Bool {
        if let place = place(key) { remove(place) }
        guard bytes <= limit else { return false }
        trim(bytes, now)
        entries.append(Entry(key: key, value: value, stored: now, bytes: bytes))
        return true
    }
}

@Suite struct ExactCacheModelTests {
    @Test func `does what the model does, step by step`() throws {
        let overhead = ExactCache<Int>.overhead
        try forEachSeed(1...60) { seed, random in
            // From a handful of answers to some hundreds, so that the index grows and shrinks.
            let keys = (0..<[8, 60, 900][Int(seed % 3)]).map { key("\($0)", ["a", "b", nil][$0 % 3]) }
            let limit = max(1_024, keys.count * (overhead + 30) / 2)
            let cache = try ExactCache<Int>(
                .init(bytes: limit, ttl: .nanoseconds(400), staleIfError: .nanoseconds(200))
            ) { $0 % 100 }
            var model = Model(limit: limit, fresh: 400, kept: 600), now: Int64 = 0
            for step in 0..<3_000 {
                now += Int64(random.upTo(3))
                if random.upTo(400) == 0 { now -= Int64(random.upTo(500)) }
                let key = keys[min(random.upTo(keys.count - 1), random.upTo(keys.count - 1))]
                let instant = Instant(nanoseconds: now), note = "seed \(seed), step \(step)"
                switch random.upTo(99) {
                case 0..<60:
                    let stale = random.upTo(1) == 0
                    let found = cache.lookup(key, at: instant, allowingStale: stale)
                    let expected = model.look(key, now, stale: stale)
                    #expect(found?.value == expected?.value && found?.origin == expected?.origin, "\(note)")
                    #expect(found?.age == expected.map { .nanoseconds($0.age) }, "\(note)")
                case 60..<97:
                    let value = step * 100 + random.upTo(60)
                    let isKept = model.store(key, value, value % 100 + overhead, now)
                    #expect(cache.store(value, for: key, at: instant) == isKept, "\(note)")
                case 97:
                    let place = model.place(key)
                    if let place { model.remove(place) }
                    #expect(cache.remove(key) == (place != nil), "\(note)")
                case 98 where random.upTo(20) == 0:
                    let space = CachePartition.tenant("b").hash(1)
                    while let place = model.entries.firstIndex(where: { $0.key.space == space }) { model.remove(place) }
                    cache.removeAll(for: .tenant("b"), seed: 1)
                default:
                    model.limit = max(1_024, limit / (1 + random.upTo(2)))
                    model.trim(0, now)
                    var configuration = cache.configuration
                    configuration.bytes = model.limit
                    try cache.update(configuration, at: instant)
                }
                let counts = cache.counts
                #expect(
                    counts.bytes == model.bytes && counts.entries == model.entries.count
                        && Int(counts.evicted) == model.evicted, "\(note)")
                guard counts.bytes == model.bytes else { return }
            }
        }
    }
}
