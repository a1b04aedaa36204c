import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// The instant so many milliseconds after the origin.
func ms(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

extension ReplicaHealth {
    /// A replica that is ready at 0, and whose probes come without jitter.
    static func ready(
        observer: (any Observer)? = nil, _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> ReplicaHealth {
        var configuration = Configuration { $0.jitter = 0 }
        change(&configuration)
        let health = try ReplicaHealth(
            "replica", configuration, at: ms(0), observer: observer, random: .seeded(1))
        try health.probe(.good, at: ms(0))
        return health
    }

    /// Makes the probe that is due, with an answer at once.
    @discardableResult
    func probe(_ result: ProbeResult, at now: Instant) throws -> HealthChange? {
        let probe = try #require(beginProbe(at: now))
        return probed(probe, result, at: now)
    }

    /// A call that begins and ends at one time.
    @discardableResult
    func call(_ outcome: Outcome, at now: Instant) throws -> HealthChange? {
        let stream = try #require(streams.begin())
        defer { streams.end(stream, .finished, at: now) }
        return record(outcome, of: stream, at: now)
    }

    /// Calls in a row that fail.
    func fail(_ count: Int, at now: Instant) throws {
        for _ in 0..<count { try call(.failure(.serverError), at: now) }
    }

    /// A call that has no first content in time.
    @discardableResult
    func hang(at now: Instant) throws -> HealthChange? {
        let stream = try #require(streams.begin())
        defer { streams.end(stream, .handedOver, at: now) }
        return hung(stream, at: now)
    }
}

extension ProbeResult {
    static let good = ProbeResult.generated(firstToken: .milliseconds(50), kvUse: 0.3)
}
