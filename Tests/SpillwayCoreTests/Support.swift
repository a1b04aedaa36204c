import SpillwayCore

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// Runs `body` for each of `count` seeds; what it expects names the seed.
func forSeeds(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

/// A reference that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let locked: Locked<Value>

    init(_ value: Value) { locked = Locked(value) }

    var value: Value { locked.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { locked.withLock { body(&$0) } }
}
