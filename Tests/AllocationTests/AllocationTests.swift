import CAllocations
import Spillway
import SpillwayCore
import Testing

/// Invariant 8: the success path allocates nothing, and neither does a rejection.
///
/// Counted at malloc, not read off a profile.
@Suite(.enabled(if: allocations_are_counted())) struct AllocationTests {
    private let noon = Instant(nanoseconds: 1_000_000_000_000)

    /// Allocations of 1,000 runs of `body` on this thread, after some that warm it up.
    private func allocations(_ body: () throws -> Void) rethrows -> UInt64 {
        for _ in 0..<100 { try body() }
        let before = allocations_of_thread()
        for _ in 0..<1_000 { try body() }
        return allocations_of_thread() - before
    }

    /// Allocations of 1,000 bare throws.
    ///
    /// None in a program; here the testing library looks at every error that is thrown, so a refusal may cost what a
    /// throw costs and no more. `make bench` shows that that is nothing.
    private var throwing: UInt64 {
        let rejection = Rejection(by: GateName(registering: "bare"), reason: .other)
        return allocations { expectRefusal { () throws(Rejection) in throw rejection } }
    }

    @Test func theCounterCounts() {
        #expect(allocations { _ = [Int](repeating: 1, count: 100).withUnsafeBufferPointer { $0.baseAddress } } >= 1_000)
    }

    @Test func sharedLimit() async throws {
        let limit = try SharedLimit("shared", .init(.amount(1 << 40, per: .seconds(86_400))), store: MemoryLeaseStore())
        #expect(
            allocations { expectRefusal { () throws(Rejection) in try limit.admit(cost: 1, at: noon) } } == throwing)
        let time = SystemTime(), running = Task { try await limit.run() }
        let end = time.now.advanced(by: .seconds(60))
        try await limit.acquire(cost: 1 << 30, until: end).void(at: time.now)
        let now = time.now
        #expect(try allocations { try limit.admit(cost: 1, at: now).settle(.success, at: now) } == 0)
        running.cancel()
        _ = try await running.value
    }

    /// A ladder of 4 tiers with 8 models each, well or with its upper tiers refused.
    @Test func ladder() throws {
        let breakers = try (0..<4).map { try CircuitBreaker("tier \($0)") }
        let tiers = try (0..<4).map { tier in
            Tier(
                "tier \(tier)", choice: .cheapest(within: .seconds(2)),
                models: try (0..<8).map {
                    try Model(
                        "model \(tier) \($0)", .init(quality: 0.9, cost: .perMillion(input: Int64($0), output: 1)))
                }, gates: [breakers[tier]])
        }
        let router = try ModelRouter("ladder", budget: RetryBudget("extra"), tiers: tiers)
        let call = Call(tokens: .estimate(input: 1_000, maxOutput: 500), idempotency: .idempotent)
        func pick(_ expected: Int) throws {
            var walk = Walk(recorded: false), permits = PermitStack()
            let place = try router.admit(
                call, &walk, &permits, budgets: .none, deadline: nil, at: noon, isWorthMore: { _, _ in false },
                refused: { _ in })
            if place / 8 != expected { fatalError("place \(place)") }
            permits.settle(.success, at: noon)
            router.learn(.success, at: place, &walk, since: noon, took: nil, usage: nil, now: noon)
        }
        #expect(try allocations { try pick(0) } == 0)
        breakers[0].isolate(at: noon)
        for _ in 0..<3 { try pick(1) }
        #expect(router.mode.tier == "tier 1")
        #expect(try allocations { try pick(1) } == 0, "the ladder has left the first tier: nobody throws")
    }

    @Test func bucket() throws {
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: 1_000_000))
        #expect(try allocations { try bucket.admit(at: noon).settle(.success, at: noon) } == 0)
        #expect(try allocations { try bucket.admit(at: noon).void(at: noon) } == 0)
        let empty = try TokenBucket("empty", .init(rate: .perDay(1), burst: 1))
        try empty.admit(at: noon).settle(.success, at: noon)
        #expect(allocations { expectRefusal { () throws(Rejection) in try empty.admit(at: noon) } } == throwing)
    }

    @Test func keyedBucket() throws {
        let buckets = try KeyedTokenBucket("keyed", .init(rate: .perSecond(1e9), burst: 1_000_000, keys: 1_000))
        var key: UInt64 = 0
        #expect(
            try allocations {
                key += 1
                try buckets.admit(key % 500, at: noon).settle(.success, at: noon)
            } == 0)
        let name = "a tenant with a name that does not fit into a word"
        #expect(try allocations { try buckets.admit(name, at: noon).settle(.success, at: noon) } == 0)
    }

    @Test func bucketOfTokens() throws {
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: 1_000_000, unit: .tokens))
        let call = Call(tokens: .estimate(input: 100, maxOutput: 100))
        let less = Measurements(usage: Usage(input: 100, output: 20)), more = Measurements(usage: Usage(input: 500))
        #expect(try allocations { try bucket.admit(call, at: noon).settle(.success, less, at: noon) } == 0)
        let wide = try TokenBucket("wide", .init(rate: .perSecond(1e9), burst: .max / 2, unit: .tokens))
        #expect(try allocations { try wide.admit(call, at: noon).settle(.success, more, at: noon) } == 0)
    }

    @Test func quota() throws {
        let quota = try Quota(
            "quota",
            .init(
                requests: .perSecond(1e6), tokens: .perSecond(1e8), inputTokens: .perSecond(1e8),
                outputTokens: .perSecond(1e8), concurrency: 100), at: noon)
        let call = Call(tokens: .estimate(input: 100, maxOutput: 100))
        let less = Measurements(usage: Usage(input: 100, output: 20))
        #expect(try allocations { try quota.admit(call, at: noon).settle(.success, less, at: noon) } == 0)
        #expect(try allocations { try quota.admit(call, at: noon).void(at: noon) } == 0)
        let tight = try Quota("tight", .init(tokens: .perDay(100)), at: noon)
        #expect(allocations { expectRefusal { () throws(Rejection) in try tight.admit(call, at: noon) } } == throwing)
    }

    @Test func concurrencyLimit() throws {
        let model = ConcurrencyLimit.Rule.model(firstContent: .seconds(2), tokensPerSecond: 20)
        let measured = Measurements(firstContent: .seconds(1), tokensPerSecond: 30)
        let limits: [ConcurrencyLimit.Configuration] = [
            .init(.fixed(64)), .init(.adaptive(.gradient())), .init(.adaptive(.aimd())), .init(.adaptive(.vegas())),
            .init(.adaptive(model)),
        ]
        for configuration in limits {
            let limit = try ConcurrencyLimit("limit", configuration)
            var now = noon
            #expect(
                try allocations {
                    let permit = try limit.admit(Call(), at: now)
                    now = now.advanced(by: .milliseconds(50))
                    permit.settle(.success, measured, at: now)
                    try limit.admit(Call(), at: now).settle(.success, at: now.advanced(by: .milliseconds(50)))
                    try limit.admit(Call(), at: now).settle(
                        .failure(.overloaded), at: now.advanced(by: .milliseconds(50)))
                    try limit.admit(Call(), at: now).void(at: now)
                } == 0, "\(configuration)")
        }
        let full = try ConcurrencyLimit("full", .init(.fixed(1)))
        let held = try full.admit(Call(), at: noon)
        #expect(allocations { expectRefusal { () throws(Rejection) in try full.admit(Call(), at: noon) } } == throwing)
        held.settle(.success, at: noon)
        let shared = try ConcurrencyLimit("shared", .init(.fixed(8), partitions: .byKey(["acme": 0.5], lending: 0)))
        let call = Call(key: "acme")
        #expect(try allocations { try shared.admit(call, at: noon).settle(.success, at: noon) } == 0)
    }

    @Test func ledger() throws {
        let ledger = try Ledger(
            "ledger", prices: .common,
            .init(limits: [
                SpendLimit(.tenant("acme"), hard: .dollars(1_000_000)), SpendLimit(.key("k"), hard: .zero, per: .day),
                SpendLimit(each: .session, hard: .dollars(1_000_000), per: .rolling(.seconds(600))),
            ]), epoch: 0)
        let account = try ledger.account(.tenant("acme"), .model("large"), .session("s"), at: noon)
        #expect(try allocations { try account.hold(.cents(1), at: noon).settle(.cents(1), at: noon) } == 0)
        #expect(try allocations { try account.hold(.cents(1), at: noon).void(at: noon) } == 0)
        #expect(try allocations { _ = try account.hold(.cents(1), at: noon) } == 0)
        let price = try #require(PriceBook.common.price(of: "gpt-4o-mini", at: .max))
        let usage = Usage(input: 1_000, cacheRead: 200, output: 300, reasoning: 50)
        #expect(try allocations { _ = try price.cost(of: usage) } == 0)
        // As a gate, with the price of the call.
        let gate = try ledger.account(.provider("p"), model: "gpt-4o-mini", at: noon)
        let call = Call(tokens: .estimate(input: 1_000, maxOutput: 100), payer: account)
        #expect(try allocations { try gate.admit(call, at: noon).settle(.success, at: noon) } == 0)
        let poor = try ledger.account(.key("k"), model: "gpt-4o-mini", at: noon)
        #expect(allocations { expectRefusal { () throws(Rejection) in try poor.admit(call, at: noon) } } == throwing)
    }

    @Test func breaker() throws {
        for window in [CircuitBreaker.Window.calls(25), .calls(1_000), .time(.seconds(30)), .consecutive(5)] {
            let breaker = try CircuitBreaker("breaker", .init { $0.window = window })
            var step = 0
            #expect(
                try allocations {
                    step += 1
                    let outcome: Outcome = step % 5 == 0 ? .failure(.timeout) : .success
                    try breaker.admit(at: noon).settle(outcome, at: noon)
                } == 0)
            breaker.isolate(at: noon)
            #expect(allocations { expectRefusal { () throws(Rejection) in try breaker.admit(at: noon) } } == throwing)
        }
    }

    @Test func breakerThatWatchesTimes() throws {
        let breaker = try CircuitBreaker(
            "breaker",
            .init {
                $0.slow = .longerThan(.seconds(5))
                $0.stuck = .init(olderThan: .seconds(7))
            })
        var step = 0
        var held = [RawPermit?](repeating: nil, count: 20)
        #expect(
            try allocations {
                step += 1
                // A slice every hundred calls; each call ends twenty calls later, and some of them are slow.
                let now = noon.advanced(by: .milliseconds(10 * step))
                let outcome: Outcome = step % 5 == 0 ? .slow : .success
                held[step % 20]?.settle(outcome, at: now)
                held[step % 20] = try breaker.admit(at: now).take()
            } == 0)
        #expect(breaker.inFlight(at: noon).total == 20)
        let late = noon.advanced(by: .seconds(3_600))
        #expect(allocations { expectRefusal { () throws(Rejection) in try breaker.admit(at: late) } } == throwing)
        for permit in held { permit?.settle(.success, at: late) }
    }

    @Test func budgetAndBackoff() throws {
        let budget = try RetryBudget("budget", .init(ratio: 1))
        #expect(
            allocations {
                budget.deposit(at: noon)
                _ = budget.withdraw(at: noon)
            } == 0)
        let backoff = try Backoff.exponential(from: .milliseconds(200))
        #expect(allocations { _ = backoff.delay(beforeRetry: 3) } == 0)
    }

    @Test func attemptClock() throws {
        let limits = try AttemptTimeout(.seconds(60), firstContent: .seconds(8), stall: .seconds(5), tokensPerSecond: 1)
        #expect(
            allocations {
                var clock = AttemptClock(limits, deadline: noon.advanced(by: .seconds(9)), streams: true, at: noon)
                clock.received(3, at: noon)
                clock.pause(at: noon)
                clock.resume(at: noon)
                if clock.due == nil || clock.exceeded(at: noon) != nil { Issue.record("wrong time") }
            } == 0)
    }

    @Test func allowance() throws {
        let chain = BudgetChain.none.adding(Allowance(5)).adding(Allowance(7))
        #expect(
            allocations {
                if chain.withdraw(at: noon) { chain.restore() }
            } == 0)
    }

    @Test func cooperativeDeadline() async throws {
        let deadline = try Deadline(.seconds(30), cooperative: true)
        #expect(
            try await leastAllocations { index in
                let value = try await deadline.run { _ in await doubled(index) }
                if value != 2 * index { Issue.record("wrong answer") }
            } == 0)
    }

    @Test func shedder() throws {
        let shedder = try LoadShedder("shedder") { _ in 0.8 }
        let call = Call(key: "a tenant with a name that does not fit into a word", criticality: .critical)
        #expect(try allocations { try shedder.admit(call, at: noon).settle(.success, at: noon) } == 0)
        let full = try LoadShedder("full") { _ in 2 }
        #expect(allocations { expectRefusal { () throws(Rejection) in try full.admit(call, at: noon) } } == throwing)
    }

    @Test func policyWithAQueueInWhichNobodyWaits() async throws {
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: 1_000_000))
        let queue = try FairQueue("queue")
        let policy = try Policy("policy") { () throws(ConfigurationError) in
            queue
            Gates(bucket)
        }
        #expect(
            try await leastAllocations { index in
                let value = try await policy.run { _ in await doubled(index) }
                if value != 2 * index { Issue.record("wrong answer") }
            } == 0)
    }

    @Test func policyThatSucceeds() async throws {
        let breaker = try CircuitBreaker("breaker")
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: 1_000_000))
        let budget = try RetryBudget()
        let policy = try Policy("policy") { () throws(ConfigurationError) in
            try Retry(upTo: 2, budget: budget)
            Gates(breaker, bucket)
        }
        #expect(
            try await leastAllocations { index in
                let value = try await policy.run { _ in await doubled(index) }
                if value != 2 * index { Issue.record("wrong answer") }
            } == 0)
    }

    /// What tells a gate of tokens of the use is two pieces of memory an attempt; a gate of calls needs none.
    @Test func policyThatTellsTheUse() async throws {
        let quota = try Quota("quota", .init(tokens: .perSecond(1e9, burst: .max)))
        let policy = try Policy("policy") { () throws(ConfigurationError) in Gates(quota) }
        let call = Call(tokens: .estimate(input: 100, maxOutput: 100))
        #expect(
            try await leastAllocations { index in
                let value = try await policy.run(call) { attempt in
                    attempt.used(Usage(input: 100, output: 10))
                    return await doubled(index)
                }
                if value != 2 * index { Issue.record("wrong answer") }
            } <= 2_000)
    }

    /// Allocations of 1,000 runs of `body`, which does not suspend.
    ///
    /// So the loop stays on its thread; should it be moved all the same, the least of several rounds is what counts. A call
    /// that allocated would do so in every one.
    private func leastAllocations(_ body: (Int) async throws -> Void) async rethrows -> UInt64 {
        var least = UInt64.max
        for _ in 0..<20 {
            let before = allocations_of_thread()
            for index in 0..<1_000 { try await body(index) }
            least = min(least, allocations_of_thread() &- before)
        }
        return least
    }
}

private func doubled(_ value: Int) async -> Int { 2 * value }

private func expectRefusal(_ admit: () throws(Rejection) -> Permit) {
    do throws(Rejection) {
        try admit().settle(.success, after: .zero)
        Issue.record("admitted")
    } catch {}
}
