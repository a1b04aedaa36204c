import Admission
import CLimits
import CircuitBreaking
import Retrying
import Spillway
import SpillwayCore
import SpillwayTesting

/// One line of the report.
struct Row {
    let operation: String
    let threads: Int
    let figure: Figure
    let limit: Double
    let limitName: String
}

/// A time at which nothing is short of tokens: buckets in these benchmarks refill faster than they are asked.
let noon = Instant(nanoseconds: 1_000_000_000_000)

func bucketRows(_ limits: Limits) async throws -> [Row] {
    let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
    let steady = measure { count in
        for index in 0..<count {
            guard let permit = try? bucket.admit(cost: 1, at: noon.later(index)) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    let system = SystemTime()
    let clocked = measure { count in
        for _ in 0..<count {
            guard let permit = try? bucket.admit(cost: 1, at: system.now) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    let empty = try TokenBucket("empty", .init(rate: .perDay(1), burst: 1))
    try empty.admit(at: noon).settle(.success, at: noon)
    let refused = measure { count in
        for _ in 0..<count {
            do throws(Rejection) { try empty.admit(at: noon).settle(.success, at: noon) } catch {
                limit_keep(error.reason == .rateLimited ? 1 : 0)
            }
        }
    }
    let common = try TokenBucket("common", .init(rate: .perSecond(1e9), burst: .max / 2))
    let shared = await measure(threads: 2) { count in
        for index in 0..<count {
            guard let permit = try? common.admit(cost: 1, at: noon.later(index)) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    return [
        Row("bucket.admit", steady, limits.cas, "cas"),
        Row("bucket.admit+clock", clocked, limits.clock + limits.cas, "clock+cas"),
        Row("bucket.refuse", refused, limits.load, "load"),
        Row("bucket.admit", threads: 2, shared, limits.cas, "cas"),
    ]
}

func keyedRows(_ limits: Limits) async throws -> [Row] {
    let buckets = try KeyedTokenBucket("keyed", .init(rate: .perSecond(1e9), burst: .max / 2, keys: 20_000))
    var random = RandomSource.seeded(1)
    let order = (0..<10_000).map { UInt64($0) }.shuffled(using: &random)
    let names = order.map { "tenant-\($0)/project-\($0 % 97)" }
    let integer = measure { count in
        for index in 0..<count {
            guard let permit = try? buckets.admit(order[index % 10_000], at: noon) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    let string = measure { count in
        for index in 0..<count {
            guard let permit = try? buckets.admit(names[index % 10_000], at: noon) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    let shared = await measure(threads: 2) { count in
        for index in 0..<count {
            guard let permit = try? buckets.admit(order[index % 10_000], at: noon) else { fatalError("refused") }
            permit.settle(.success, at: noon)
        }
    }
    return [
        Row("bucket.keyed.integer", integer, limits.cas + limits.random, "hash+cas"),
        Row("bucket.keyed.string", string, limits.cas + limits.random, "hash+cas"),
        Row("bucket.keyed.integer", threads: 2, shared, limits.cas + limits.random, "hash+cas"),
    ]
}

func breakerRows(_ limits: Limits) async throws -> [Row] {
    func loop(_ breaker: CircuitBreaker, _ outcome: @escaping @Sendable (Int) -> Outcome) -> @Sendable (Int) -> Void {
        { count in
            for index in 0..<count {
                do throws(Rejection) {
                    try breaker.admit(at: noon).settle(outcome(index), at: noon)
                } catch { fatalError("refused") }
            }
        }
    }
    let healthy = try CircuitBreaker("healthy")
    let mixed = try CircuitBreaker("mixed", .init { $0.window = .calls(50) })
    let timed = try CircuitBreaker("timed", .init { $0.window = .time(.seconds(30)) })
    let watched = try CircuitBreaker("watched", .init { $0.stuck = .init(olderThan: .seconds(60)) })
    let open = try CircuitBreaker("open")
    open.isolate(at: noon)
    let good: @Sendable (Int) -> Outcome = { _ in .success }
    let bad: @Sendable (Int) -> Outcome = { $0 % 10 == 0 ? .failure(.timeout) : .success }
    let refused = measure { count in
        for _ in 0..<count {
            do throws(Rejection) { try open.admit(at: noon).settle(.success, at: noon) } catch {
                limit_keep(error.reason == .rateLimited ? 1 : 0)
            }
        }
    }
    return [
        Row("breaker.closed", measure(loop(healthy, good)), limits.add, "add"),
        Row("breaker.closed.failing10%", measure(loop(mixed, bad)), limits.add, "add"),
        Row("breaker.closed.time", measure(loop(timed, good)), limits.add, "add"),
        Row("breaker.closed.inflight", measure(loop(watched, good)), 2 * limits.cas, "2 cas"),
        Row("breaker.open", refused, limits.load, "load"),
        Row("breaker.closed", threads: 2, await measure(threads: 2, loop(healthy, good)), limits.add, "add"),
        Row("breaker.closed.failing10%", threads: 2, await measure(threads: 2, loop(mixed, bad)), limits.add, "add"),
        Row("breaker.closed.time", threads: 2, await measure(threads: 2, loop(timed, good)), limits.add, "add"),
        Row(
            "breaker.closed.inflight", threads: 2, await measure(threads: 2, loop(watched, good)), 2 * limits.cas,
            "2 cas"),
    ]
}

func retryRows(_ limits: Limits) async throws -> [Row] {
    let budget = try RetryBudget("budget", .init(ratio: 1, burst: 1_000))
    let spend: @Sendable (Int) -> Void = { count in
        for _ in 0..<count {
            budget.deposit(at: noon)
            limit_keep(budget.withdraw(at: noon) ? 1 : 0)
        }
    }
    let backoff = try Backoff.exponential(from: .milliseconds(200))
    let delay = measure { count in
        for index in 0..<count { limit_keep(backoff.delay(beforeRetry: index & 3 + 1) == .zero ? 0 : 1) }
    }
    return [
        Row("budget.deposit+withdraw", measure(spend), 2 * limits.add, "2 add"),
        Row("budget.deposit+withdraw", threads: 2, await measure(threads: 2, spend), 2 * limits.add, "2 add"),
        Row("backoff.delay", delay, limits.random, "random"),
    ]
}

func policyRows(_ limits: Limits) async throws -> [Row] {
    let breaker = try CircuitBreaker("breaker")
    let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
    let budget = try RetryBudget("budget")
    let policy = try Policy("policy") { () throws(ConfigurationError) in
        try Retry(upTo: 2, budget: budget)
        Gates(breaker, bucket)
    }
    let figure = await measureAsync { count in
        for index in 0..<count {
            do throws(PolicyError<Never>) {
                limit_keep(UInt64(try await policy.run { _ in await trivial(index) }))
            } catch { fatalError("refused") }
        }
    }
    let bare = try Policy("gates") { () throws(ConfigurationError) in Gates(breaker, bucket) }
    let gates = await measureAsync { count in
        for index in 0..<count {
            do throws(PolicyError<Never>) {
                limit_keep(UInt64(try await bare.run { _ in await trivial(index) }))
            } catch { fatalError("refused") }
        }
    }
    let limit = 2 * limits.closure + 2 * limits.clock + 3 * limits.add
    return [
        Row("policy.breaker+bucket", gates, limit - limits.add, "2 closure+2 clock+2 add"),
        Row("policy.retry+breaker+bucket", figure, limit, "2 closure+2 clock+3 add"),
    ]
}

/// What a simulation adds to a task: the queue, the choice of the next job, and nothing that waits for another thread.
func simulationRows(_ limits: Limits) async throws -> [Row] {
    let figure = await measureAsync(times: 20_000) { count in
        let simulation = Simulation(seed: 1)
        do { try simulation.run { await children(count) } } catch { fatalError("\(error)") }
    }
    return [Row("simulation.child", figure, limits.child, "child task")]
}

extension Row {
    init(_ operation: String, threads: Int = 1, _ figure: Figure, _ limit: Double, _ limitName: String) {
        self.init(operation: operation, threads: threads, figure: figure, limit: limit, limitName: limitName)
    }
}

extension Instant {
    /// A few nanoseconds later for each step, so that buckets never run dry.
    func later(_ step: Int) -> Instant { Instant(nanoseconds: nanoseconds + Int64(step)) }
}
