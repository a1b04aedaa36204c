import CircuitBreaking
import SpillwayCore
import SpillwayTesting

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

/// A breaker without jitter or ramp, unless `change` says otherwise.
func makeBreaker(
    observer: (any Observer)? = nil, _ change: (inout CircuitBreaker.Configuration) -> Void = { _ in }
) throws -> CircuitBreaker {
    var configuration = CircuitBreaker.Configuration()
    configuration.openJitter = 0
    configuration.ramp = .zero
    change(&configuration)
    return try CircuitBreaker("replica-1", configuration, observer: observer)
}

extension CircuitBreaker {
    /// Admits a call and settles it at once; returns whether it was admitted.
    @discardableResult
    func call(_ outcome: Outcome, at now: Instant) -> Bool {
        guard let permit = try? admit(at: now) else { return false }
        permit.settle(outcome, at: now)
        return true
    }

    /// Opens the breaker by failures.
    func trip(at now: Instant) {
        while call(.failure(.serverError), at: now) {}
    }
}

/// Runs `body` for each of `count` seeds and names the seed that failed.
func forSeeds(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

extension CircuitBreaker {
    /// Admits `count` calls that stay under way.
    func hold(_ count: Int, at now: Instant) throws -> [RawPermit] {
        try (0..<count).map { _ in try admit(at: now).take() }
    }
}

extension [RawPermit] {
    /// Settles all of them alike.
    func settle(_ outcome: Outcome, at now: Instant) {
        for permit in self { permit.settle(outcome, at: now) }
    }
}
