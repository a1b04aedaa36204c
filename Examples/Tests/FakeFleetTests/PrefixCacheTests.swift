import Testing

@testable import FakeFleet

@Suite struct PrefixCacheTests {
    @Test func `only leading blocks match`() {
        var cache = PrefixCache(capacity: 10)
        cache.use([1, 2, 3])
        #expect(cache.matchingPrefix(of: [1, 2, 9]) == 2)
        #expect(cache.matchingPrefix(of: [9, 2, 3]) == 0)
        #expect(cache.matchingPrefix(of: []) == 0)
    }

    @Test func `the least recently used prompt goes first, from its tail`() {
        var cache = PrefixCache(capacity: 4)
        cache.use([1, 2])
        cache.use([3, 4])
        cache.use([1, 2])
        cache.use([5])
        #expect(cache.matchingPrefix(of: [1, 2]) == 2)
        #expect(cache.matchingPrefix(of: [3, 4]) == 1)
        #expect(cache.matchingPrefix(of: [5]) == 1)
    }

    @Test func `a prompt larger than the cache keeps its head`() {
        var cache = PrefixCache(capacity: 3)
        cache.use([1, 2, 3, 4, 5])
        #expect(cache.matchingPrefix(of: [1, 2, 3, 4, 5]) == 3)
    }

    @Test func `it agrees with a plain list over many uses`() {
        var cache = PrefixCache(capacity: 8)
        var list: [UInt64] = []
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            let head = UInt64.random(in: 0..<6, using: &random) * 10
            let blocks = Array(head..<(head + UInt64.random(in: 1...4, using: &random)))
            cache.use(blocks)
            list.removeAll { blocks.contains($0) }
            list.append(contentsOf: blocks.reversed())
            list.removeFirst(max(0, list.count - 8))
            for start in stride(from: UInt64(0), to: 60, by: 10) {
                let probe = Array(start..<(start + 4))
                #expect(cache.matchingPrefix(of: probe) == probe.prefix { list.contains($0) }.count)
            }
        }
    }
}
