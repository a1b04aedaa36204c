private import CSpillway

/// Where jitter comes from: the system, or a seed that gives the same numbers every time.
///
/// The generator is wyrand. It is fast and well spread, and not for secrets.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private let shared: Shared?

    private final class Shared: @unchecked Sendable {
        // Touched only by the atomic step in C.
        let state = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        init(seed: UInt64) { state.initialize(to: seed) }
        deinit { state.deallocate() }
    }

    /// Numbers from a generator of the calling thread, seeded by the system.
    public static var system: RandomSource { RandomSource(shared: nil) }

    /// Numbers that depend on `seed` alone.
    ///
    /// Copies share one sequence.
    public static func seeded(_ seed: UInt64) -> RandomSource {
        RandomSource(shared: Shared(seed: seed))
    }

    /// The next 64 random bits.
    public func next() -> UInt64 {
        if let shared { spw_random_shared(shared.state) } else { spw_random_system() }
    }

    /// A number from 0 through `limit`, evenly spread to within one part in 2⁶⁴ / `limit`.
    package func next(through limit: UInt64) -> UInt64 {
        limit == .max ? next() : next().multipliedFullWidth(by: limit + 1).high
    }
}
