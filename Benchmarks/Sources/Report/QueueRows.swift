import Admission
import CLimits
import Spillway
import SpillwayCore

/// What a line adds to a call that need not wait, what it costs one that does, and a shedder below its bands.
func queueRows(_ limits: Limits) async throws -> [Row] {
    let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
    let queue = try FairQueue("queue")
    let policy = try Policy("policy") { () throws(ConfigurationError) in
        queue
        Gates(bucket)
    }
    let passed = await measureAsync { count in
        for index in 0..<count {
            do throws(PolicyError<Never>) {
                limit_keep(UInt64(try await policy.run { _ in await trivial(index) }))
            } catch { fatalError("refused") }
        }
    }
    let shedder = try LoadShedder("shedder") { _ in 0.5 }
    let call = Call(criticality: .sheddable)
    let shed = measure { count in
        for _ in 0..<count {
            guard let permit = try? shedder.admit(call, at: noon) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    return [
        Row("policy.queue+bucket", passed, 2 * limits.closure + 2 * limits.clock + limits.cas, "2 closure+2 clock+cas"),
        Row("queue.wait", await waiting(), limits.child, "child task"),
        Row("shedder.admit", shed, 2 * limits.cas, "2 cas"),
    ]
}

/// A thousand tasks before one place: each but the first waits, is woken once, and wakes the next.
private func waiting() async -> Figure {
    await measureAsync(times: 1_000) { count in
        guard let queue = try? FairQueue("queue", .init(capacity: 10_000, longest: .seconds(3_600))),
            let place = try? ConcurrencyLimit("place", .init(.fixed(1)))
        else { fatalError("refused") }
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    do {
                        let call = Call(key: index % 2 == 0 ? "one" : "other")
                        try await queue.run(call, through: place) { await Task.yield() }
                    } catch { fatalError("\(error)") }
                }
            }
        }
    }
}
