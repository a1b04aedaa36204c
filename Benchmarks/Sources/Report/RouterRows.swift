import CLimits
import CostLedger
import ModelRouting
import Spillway
import SpillwayCore

/// A ladder of 4 tiers with 8 models each.
private func ladder(
    _ budget: RetryBudget, gates: (Int, Int) throws -> [any Gate] = { _, _ in [] }
) throws -> ModelRouter {
    try ModelRouter(
        "ladder", budget: budget,
        tiers: (0..<4).map { tier in
            try Tier(
                "tier \(tier)", choice: .cheapest(within: .seconds(2)),
                models: (0..<8).map { number in
                    try Model(
                        "model \(tier) \(number)",
                        .init(quality: 0.9, cost: .perMillion(input: Int64(8 - number), output: Int64(8 - number))),
                        gates: gates(tier, number))
                })
        })
}

/// What it costs to choose a model, and what a call costs that goes through everything there is.
func routerRows(_ limits: Limits) async throws -> [Row] {
    let budget = try RetryBudget("extra")
    let plain = try Policy("ladder", { [router = try ladder(budget)] () throws(ConfigurationError) in router })
    let call = Call(tokens: .estimate(input: 1_000, maxOutput: 100), idempotency: .idempotent)
    let picked = await measureAsync { count in
        for index in 0..<count {
            do throws(PolicyError<Never>) {
                limit_keep(UInt64(try await plain.run(call) { _ in await trivial(index) }))
            } catch { fatalError("refused") }
        }
    }
    let bare = try Policy("bare") { () throws(ConfigurationError) in Targets(.ladder, [Target("one")]) }
    let base = await measureAsync { count in
        for index in 0..<count {
            do throws(PolicyError<Never>) {
                limit_keep(UInt64(try await bare.run(call) { _ in await trivial(index) }))
            } catch { fatalError("refused") }
        }
    }
    let stack = try await whole()
    return [
        // What a ladder adds to a policy with one target: choosing among 8, and counting calls and times of the one chosen.
        Row(
            "router.pick", Figure(nanoseconds: picked.nanoseconds - base.nanoseconds, allocations: picked.allocations),
            8 * limits.load + 2 * limits.add, "8 load+2 add"),
        Row("policy.stack", stack, limits.structuredChild, "structured child"),
    ]
}

/// Route, admit, hold, attempt, settle and report: retry, ladder, breaker, bucket, money, and a report of what happened.
private func whole() async throws -> Figure {
    let budget = try RetryBudget("extra")
    let ledger = try Ledger("ledger", prices: .common, .init(limits: [SpendLimit(each: .tenant, hard: .max)]), epoch: 0)
    let tokens = try TokenBucket("tokens", .init(rate: .perSecond(1e9), burst: .max / 2, unit: .tokens))
    let account = try ledger.account(.provider("p"), .model("m"), model: "gpt-4o-mini", at: noon)
    let router = try ladder(budget) { tier, number in
        [try CircuitBreaker("breaker \(tier) \(number)"), tokens, account]
    }
    let policy = try Policy("chat") { () throws(ConfigurationError) in
        try Deadline(.seconds(30), cooperative: true)
        try Retry(upTo: 2, budget: budget)
        router
    }
    let call = Call(
        tokens: .estimate(input: 1_000, maxOutput: 100), payer: try ledger.account(.tenant("t"), .key("k"), at: noon),
        idempotency: .idempotent)
    return await measureAsync(times: 100_000) { count in
        for index in 0..<count {
            let (result, report) = await policy.reported(call) { _ in await trivial(index) }
            guard case .success(let value) = result, report.attempts.count == 1 else { fatalError("\(result)") }
            limit_keep(UInt64(value))
        }
    }
}
