import CLimits
import Hedging
import Retrying
import SpillwayCore

/// A hedged call whose hedge never fires, beside the cheapest child task.
func hedgeRows(_ limits: Limits) async throws -> [Row] {
    let hedge = try Hedge(
        after: .quantile(0.95, initially: .seconds(600), atLeast: .seconds(600)), budget: RetryBudget())
    func figure(_ work: @escaping @Sendable (Int) async -> Int) async -> Figure {
        await measureAsync(times: 20_000) { count in
            for index in 0..<count {
                do throws(PolicyError<Never>) {
                    limit_keep(
                        UInt64(try await hedge.run(Call(idempotency: .idempotent)) { _ in await work(index) }))
                } catch { fatalError("refused") }
            }
        }
    }
    return [
        Row("hedge.unfired", await figure(trivial), limits.structuredChild, "structured child"),
        Row(
            "hedge.unfired.suspending", await figure(suspending), limits.structuredChildSuspending, "suspending child"),
    ]
}
