import CAllocations
import SpillwayCore
import Testing

@testable import ModelRouting

@Suite(.enabled(if: allocations_are_counted())) struct CacheAllocationTests {
    private func allocations(_ body: () throws -> Void) rethrows -> UInt64 {
        for _ in 0..<100 { try body() }
        let before = allocations_of_thread()
        for _ in 0..<1_000 { try body() }
        return allocations_of_thread() - before
    }

    @Test func `a hit and a miss allocate nothing, and neither does a key`() throws {
        let cache = try ExactCache<Int>(.init(bytes: 1 << 20)) { _ in 0 }
        let prompt = [UInt8](repeating: 65, count: 8_192), now = Instant(nanoseconds: 1_000_000_000)
        cache.store(7, for: CacheKey(prompt, for: .tenant("acme")), at: now)
        var sum = 0
        #expect(
            allocations {
                sum += cache.lookup(CacheKey(prompt, for: .tenant("acme")), at: now)?.value ?? 0
            } == 0)
        #expect(sum == 7 * 1_100)
        #expect(allocations { sum += cache.lookup(CacheKey(prompt, for: .shared), at: now)?.value ?? 0 } == 0)
        #expect(
            allocations {
                var parts = CacheKey.Parts(for: .tenant("a tenant with a name that does not fit into a word"))
                parts.add("a model with a name that does not fit into a word")
                prompt.withUnsafeBytes { parts.add($0) }
                sum += cache.lookup(parts.key, at: now)?.value ?? 0
            } == 0)
        let texts = try ExactCache<String>(.init(bytes: 1 << 20)) { $0.utf8.count }
        texts.store(String(repeating: "x", count: 100), for: key("a"), at: now)
        #expect(allocations { sum += texts.lookup(key("a"), at: now)?.value.utf8.count ?? 0 } == 0)
    }
}
