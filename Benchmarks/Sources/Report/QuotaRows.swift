import Admission
import CLimits
import Spillway
import SpillwayCore

/// What it costs to hold a call under four limits at once, and to settle it with what it used.
func quotaRows(_ limits: Limits) async throws -> [Row] {
    let quota = try Quota(
        "quota",
        .init(
            requests: .perSecond(1e8, burst: .max), tokens: .perSecond(1e9, burst: .max),
            outputTokens: .perSecond(1e9, burst: .max), concurrency: 1_000), at: noon)
    let call = Call(tokens: .estimate(input: 100, maxOutput: 400))
    let used = Measurements(usage: Usage(input: 90, output: 120))
    let hold: @Sendable (Int) -> Void = { count in
        for index in 0..<count {
            let now = Instant(nanoseconds: noon.nanoseconds + Int64(index) * 1_000)
            guard let permit = try? quota.admit(call, at: now) else { fatalError("refused") }
            permit.settle(.success, used, at: now)
        }
    }
    let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2, unit: .tokens))
    let settled = measure { count in
        for index in 0..<count {
            let now = Instant(nanoseconds: noon.nanoseconds + Int64(index) * 1_000)
            guard let permit = try? bucket.admit(call, at: now) else { fatalError("refused") }
            permit.settle(.success, used, at: now)
        }
    }
    // To hold takes the lock and gives it back, and settling too; the limits are plain memory.
    return [
        Row("quota.admit+settle", measure(hold), 2 * limits.cas, "2 cas"),
        Row("quota.admit+settle", threads: 2, await measure(threads: 2, hold), 2 * limits.cas, "2 cas"),
        Row("bucket.settle.used", settled, 2 * limits.cas, "2 cas"),
    ]
}
