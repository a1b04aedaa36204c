import CLimits
import ModelRouting
import SpillwayCore

/// What it costs to say which of two models a call gets, and to take note of how it went.
func rolloutRows(_ limits: Limits) async throws -> [Row] {
    let rollout = try Rollout("model", .init(share: 0.05) { $0.always = ["inside"] }, random: .seeded(1))
    let names = (0..<1_024).map { "tenant-\($0)" }
    let arm: @Sendable (Int) -> Void = { count in
        for index in 0..<count { limit_keep(rollout.arm(for: names[index & 1_023]).isCanary ? 1 : 0) }
    }
    let chance: @Sendable (Int) -> Void = { count in
        for _ in 0..<count { limit_keep(rollout.arm().isCanary ? 1 : 0) }
    }
    let record: @Sendable (Int) -> Void = { count in
        for index in 0..<count {
            // Both are alike, so that it is never rolled back.
            let spread = Int64((index &* 7_919) & 1_023)
            rollout.record(
                rollout.arm(),
                .init(.success, firstContent: .microseconds(400 + spread), cost: 1_000 + spread, quality: 0.5), at: noon
            )
        }
    }
    // The arm of a key is a hash and two loads; to record is to take a lock and give it back, once for all four metrics.
    return [
        Row("rollout.arm", measure(arm), limits.random + 2 * limits.load, "hash+2 load"),
        Row("rollout.arm.chance", measure(chance), limits.random + limits.load, "random+load"),
        Row("rollout.arm", threads: 2, await measure(threads: 2, arm), limits.random + 2 * limits.load, "hash+2 load"),
        Row("rollout.record", measure(record), limits.cas, "cas"),
        Row("rollout.record", threads: 2, await measure(threads: 2, record), limits.cas, "cas"),
    ]
}
