import CLimits
import Hedging
import Retrying
import SpillwayCore

/// A hedged call whose hedge never fires, beside a child task of a group of its own, which passes a cancellation on.
func hedgeRows() async throws -> [Row] {
    let hedge = try Hedge(
        after: .quantile(0.95, initially: .seconds(600), atLeast: .seconds(600)), budget: RetryBudget())
    let call = Call(idempotency: .idempotent)
    var rows: [Row] = []
    for suspends in [false, true] {
        let limit = await measureAsync(times: 20_000) { count in
            for index in 0..<count { limit_keep(UInt64(await structuredChild { await work(index, suspends) })) }
        }
        let figure = await measureAsync(times: 20_000) { count in
            for index in 0..<count {
                do throws(PolicyError<Never>) {
                    limit_keep(UInt64(try await hedge.run(call) { _ in await work(index, suspends) }))
                } catch { fatalError("refused") }
            }
        }
        let name = suspends ? "hedge.unfired.suspending" : "hedge.unfired"
        rows.append(
            Row(name, figure, limit.nanoseconds, suspends ? "group of a child that suspends" : "group of a child"))
    }
    return rows
}

/// What `work` returns, computed in a child task that starts at once.
private func structuredChild(_ work: @escaping @Sendable () async -> Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        group.addImmediateTask(operation: work)
        return await group.next() ?? 0
    }
}

/// An operation that ends at once, or lets others go first.
@inline(never)
private func work(_ value: Int, _ suspends: Bool) async -> Int {
    if suspends { await Task.yield() }
    return value
}
