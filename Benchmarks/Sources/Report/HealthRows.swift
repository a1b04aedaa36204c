import CLimits
import GPUClient
import SpillwayCore

/// What it costs to look at a replica before a call is sent to it, and to take note of how the call went.
func healthRows(_ limits: Limits) async throws -> [Row] {
    func ready(_ at: Instant) throws -> ReplicaHealth {
        let health = try ReplicaHealth("replica", at: at)
        guard let probe = health.beginProbe(at: at) else { fatalError("no probe is due") }
        health.probed(probe, .generated(firstToken: .milliseconds(50)), at: at)
        return health
    }
    let warm = try ready(.zero), ramping = try ready(noon)
    let share: @Sendable (Int) -> Void = { count in
        for index in 0..<count { limit_keep(warm.share(at: noon.later(index)) > 0 ? 1 : 0) }
    }
    let ramp = measure { count in
        for index in 0..<count { limit_keep(ramping.share(at: noon.later(index)) > 0 ? 1 : 0) }
    }
    let call: @Sendable (Int) -> Void = { count in
        for index in 0..<count {
            guard let stream = warm.streams.begin() else { fatalError("refused") }
            warm.record(.success, of: stream, at: noon.later(index))
            warm.streams.end(stream, .finished, at: noon.later(index))
        }
    }
    // A call takes three locks and gives them back.
    return [
        Row("health.share", measure(share), 2 * limits.load, "2 load"),
        Row("health.share.ramp", ramp, 5 * limits.load, "5 load"),
        Row("health.share", threads: 2, await measure(threads: 2, share), 2 * limits.load, "2 load"),
        Row("health.call", measure(call), 6 * limits.cas, "6 cas"),
        Row("health.call", threads: 2, await measure(threads: 2, call), 6 * limits.cas, "6 cas"),
    ]
}
