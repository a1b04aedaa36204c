import CLimits
import ModelRouting
import SpillwayCore

/// What a hit costs with a prompt of 8 KiB, its key made anew each time, and a search of 100,000 vectors.
func cacheRows(_ limits: Limits) async throws -> [Row] {
    let cache = try ExactCache<Int>(.init(bytes: 64 << 20)) { _ in 0 }
    // A thousand prompts, so that neither they nor their entries lie in the nearest cache.
    let prompts = (0..<1_000).map { number in (0..<8_192).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) } }
    for (number, prompt) in prompts.enumerated() { cache.store(number, for: key(prompt), at: noon) }
    let hit: @Sendable (Int) -> Void = { count in
        for index in 0..<count / 10 {
            guard let answer = cache.lookup(key(prompts[index % 1_000]), at: noon) else { fatalError("not there") }
            limit_keep(UInt64(answer.value))
        }
    }
    let read = measure { count in
        for index in 0..<count / 10 {
            limit_keep(prompts[index % 1_000].withUnsafeBytes { limit_sum($0.baseAddress, UInt64($0.count)) })
        }
    }
    let one = measure(hit).tenfold, two = await measure(threads: 2, hit).tenfold
    let known = key(prompts[0])
    let lookup = measure { count in
        for _ in 0..<count {
            guard let answer = cache.lookup(known, at: noon) else { fatalError("not there") }
            limit_keep(UInt64(answer.value))
        }
    }
    let reading = read.tenfold.nanoseconds + limits.cas
    return [
        Row("cache.lookup", lookup, limits.cas, "cas"),
        Row("cache.exact.hit", one, reading, "read 8 KiB+cas"),
        Row("cache.exact.hit", threads: 2, two, reading, "read 8 KiB+cas"),
    ] + (try semanticRows())
}

private func key(_ prompt: [UInt8]) -> CacheKey { CacheKey(prompt, for: .tenant("acme")) }

/// A search that finds nothing, and one whose answer is there, beside reading all the vectors once.
private func semanticRows() throws -> [Row] {
    let count = 100_000, dimension = 384
    let cache = try SemanticCache<Int>(.init(dimension: dimension, capacity: count))
    let random = RandomSource.seeded(1)
    func vector() -> [Float] { (0..<dimension).map { _ in Float(random.next() % 2_000_001) / 1_000_000 - 1 } }
    for number in 0..<count { try cache.store(number, at: vector(), for: .tenant("acme"), at: noon) }
    let known = vector(), unknown = vector()
    try cache.store(-1, at: known, for: .tenant("acme"), at: noon)
    let all = UnsafeMutableBufferPointer<Float>.allocate(capacity: count * dimension)
    all.initialize(repeating: 1)
    defer { all.deallocate() }
    // In turn, so that what else the machine does meets all of them.
    var reads: [Double] = [], misses: [Double] = [], hits: [Double] = []
    for _ in 0..<Effort.rounds {
        reads.append(timed { limit_keep(limit_sum(all.baseAddress, UInt64(all.count * 4))) })
        misses.append(timed { limit_keep((try? cache.lookup(unknown, for: .tenant("acme"), at: noon)) == nil ? 0 : 1) })
        hits.append(timed { limit_keep((try? cache.lookup(known, for: .tenant("acme"), at: noon)) == nil ? 0 : 1) })
    }
    func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }
    func figure(_ times: [Double]) -> Figure { Figure(nanoseconds: median(times), allocations: .nan) }
    return [
        Row("cache.semantic.miss", figure(misses), median(reads), "read 100,000 × 384 floats"),
        Row("cache.semantic", figure(hits), median(reads), "read 100,000 × 384 floats"),
    ]
}

private func timed(_ body: () -> Void) -> Double {
    let start = limit_clock()
    body()
    return Double(limit_clock() - start)
}

extension Figure {
    /// Of a body that does a tenth of what it is asked for.
    fileprivate var tenfold: Figure { Figure(nanoseconds: nanoseconds * 10, allocations: allocations * 10) }
}
