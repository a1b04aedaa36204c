import SpillwayCore

@testable import ModelRouting

/// An instant so many seconds after the origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

/// The key of a text, for one tenant, the same in each run.
func key(_ text: String, _ tenant: String? = "acme") -> CacheKey { CacheKey(text, for: .tenant(tenant), seed: 1) }

extension RandomSource {
    func upTo(_ limit: Int) -> Int { Int(next(through: UInt64(limit))) }
}

/// Calls `body` with each seed and its numbers.
func forEachSeed(_ seeds: ClosedRange<UInt64>, _ body: (UInt64, RandomSource) throws -> Void) rethrows {
    for seed in seeds { try body(seed, .seeded(seed)) }
}
