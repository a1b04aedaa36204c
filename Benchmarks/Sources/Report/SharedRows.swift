import Admission
import CLimits
import SpillwayCore

/// A limit that processes share decides as a bucket does: on this process's slice.
func sharedRows(_ limits: Limits) async throws -> [Row] {
    let time = SystemTime(), most = Int64(1) << 50
    let configuration = SharedLimit.Configuration(.amount(most * 4, per: .seconds(315_576_000)), life: .seconds(3_600))
    let limit = try SharedLimit("shared", configuration, store: MemoryLeaseStore())
    let running = Task { try await limit.run() }
    // One call that needs a large slice, and never runs.
    try await limit.acquire(cost: most, until: time.now.advanced(by: .seconds(10))).void(at: time.now)
    let now = time.now
    let steady = measure { count in
        for index in 0..<count {
            guard let permit = try? limit.admit(cost: 1, at: now.later(index)) else { fatalError("refused") }
            permit.settle(.success, at: now)
        }
    }
    let common = await measure(threads: 2) { count in
        for index in 0..<count {
            guard let permit = try? limit.admit(cost: 1, at: now.later(index)) else { fatalError("refused") }
            permit.settle(.success, at: now)
        }
    }
    running.cancel()
    _ = try await running.value
    let empty = try SharedLimit("empty", configuration, store: MemoryLeaseStore())
    let refused = measure { count in
        for _ in 0..<count {
            do throws(Rejection) { try empty.admit(cost: 1, at: now).settle(.success, at: now) } catch {
                limit_keep(error.reason == .storeUnavailable ? 1 : 0)
            }
        }
    }
    return [
        Row("shared.admit", steady, limits.cas, "cas"),
        Row("shared.refuse", refused, limits.load + limits.add, "load+add"),
        Row("shared.admit", threads: 2, common, limits.cas, "cas"),
    ]
}
