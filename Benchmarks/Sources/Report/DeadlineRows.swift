import CLimits
import SpillwayCore

/// Deadlines that are not met, beside a bare child task, or beside what tells an operation of a deadline.
func deadlineRows(_ limits: Limits) async throws -> [Row] {
    let strict = try Deadline(.seconds(30)), cooperative = try Deadline(.seconds(30), cooperative: true)
    let timeout = try AttemptTimeout(.seconds(30), firstContent: .seconds(8), stall: .seconds(5))
    let binding = await measureAsync { count in
        let context = CallContext(deadline: noon)
        for index in 0..<count {
            keep(await CallContext.$current.withValue(context) { await trivial(index) })
        }
    }
    let once = await measureAsync(times: 20_000) { count in
        for index in 0..<count { keep(try? await strict.run { _ in await trivial(index) }) }
    }
    let suspended = await measureAsync(times: 20_000) { count in
        for index in 0..<count { keep(try? await strict.run { _ in await suspending(index) }) }
    }
    let told = await measureAsync { count in
        for index in 0..<count { keep(try? await cooperative.run { _ in await trivial(index) }) }
    }
    let stream = await measureAsync(times: 20_000) { count in
        for index in 0..<count {
            keep(
                try? await timeout.run(Call(streams: true)) { attempt in
                    attempt.received()
                    return await trivial(index)
                })
        }
    }
    return [
        Row("deadline.unfired", once, limits.structuredChild, "structured child"),
        Row("deadline.unfired.suspending", suspended, limits.structuredChildSuspending, "suspending child"),
        Row("deadline.unfired.cooperative", told, limits.closure + binding.nanoseconds, "closure+task-local"),
        Row("attempt.stream.unfired", stream, limits.structuredChild, "structured child"),
    ]
}
