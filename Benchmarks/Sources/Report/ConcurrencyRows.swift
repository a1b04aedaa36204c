import Admission
import CLimits
import SpillwayCore

/// Limits on calls in flight: to take a place and to give it back.
func concurrencyRows(_ limits: Limits) async throws -> [Row] {
    let call = Call()
    func loop(_ limit: ConcurrencyLimit, _ measured: Measurements? = nil) -> @Sendable (Int) -> Void {
        { count in
            for index in 0..<count {
                let now = Instant(nanoseconds: noon.nanoseconds + 2_000 * Int64(index))
                do throws(Rejection) {
                    let permit = try limit.admit(call, at: now)
                    let end = Instant(nanoseconds: now.nanoseconds + 1_000_000)
                    if let measured {
                        permit.settle(.success, measured, at: end)
                    } else {
                        permit.settle(.success, at: end)
                    }
                } catch { fatalError("refused") }
            }
        }
    }
    let fixed = try ConcurrencyLimit("fixed", .init(.fixed(64)))
    let adaptive = try ConcurrencyLimit("adaptive", .init(.adaptive(.gradient())))
    let rule = ConcurrencyLimit.Rule.model(firstContent: .seconds(2), tokensPerSecond: 20)
    let model = try ConcurrencyLimit("model", .init(.adaptive(rule)))
    let measured = Measurements(firstContent: .seconds(1), tokensPerSecond: 30)
    let parted = try ConcurrencyLimit("parted", .init(.fixed(64), partitions: .byCriticality([.critical: 0.5])))
    let full = try ConcurrencyLimit("full", .init(.fixed(1)))
    let held = try full.admit(call, at: noon)
    let refused = measure { count in
        for _ in 0..<count {
            do throws(Rejection) { try full.admit(call, at: noon).settle(.success, at: noon) } catch {
                limit_keep(error.reason == .concurrencyLimited ? 1 : 0)
            }
        }
    }
    held.settle(.success, at: noon)
    return [
        Row("concurrency.fixed", measure(loop(fixed)), limits.cas + limits.add, "cas+add"),
        Row("concurrency.adaptive", measure(loop(adaptive)), 2 * limits.cas, "2 cas"),
        Row("concurrency.model", measure(loop(model, measured)), 2 * limits.cas, "2 cas"),
        Row("concurrency.partitions", measure(loop(parted)), limits.cas + limits.add, "cas+add"),
        Row("concurrency.refuse", refused, limits.load, "load"),
        Row(
            "concurrency.fixed", threads: 2, await measure(threads: 2, loop(fixed)), limits.cas + limits.add, "cas+add"),
        Row("concurrency.adaptive", threads: 2, await measure(threads: 2, loop(adaptive)), 2 * limits.cas, "2 cas"),
    ]
}
