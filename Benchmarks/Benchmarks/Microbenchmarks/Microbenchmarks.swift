import Admission
import Benchmark
import CircuitBreaking
import Retrying
import Spillway
import SpillwayCore

// The rows of `make bench` under ordo-one/benchmark, for its percentiles, thresholds and comparisons between commits:
// `swift package --package-path Benchmarks benchmark`. Operations of a few nanoseconds are scaled by a thousand.

private let noon = Instant(nanoseconds: 1_000_000_000_000)

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(metrics: [.wallClock, .throughput, .instructions], scalingFactor: .kilo)

    Benchmark("bucket.admit") { benchmark in
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
        for _ in benchmark.scaledIterations { try bucket.admit(at: noon).settle(.success, at: noon) }
    }

    Benchmark("bucket.admit+clock") { benchmark in
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
        let time = SystemTime()
        for _ in benchmark.scaledIterations { try bucket.admit(at: time.now).settle(.success, at: noon) }
    }

    Benchmark("bucket.keyed.integer") { benchmark in
        let buckets = try KeyedTokenBucket("keyed", .init(rate: .perSecond(1e9), burst: .max / 2, keys: 20_000))
        for index in benchmark.scaledIterations {
            try buckets.admit(UInt64(index &* 7_919 % 10_000), at: noon).settle(.success, at: noon)
        }
    }

    Benchmark("breaker.closed") { benchmark in
        let breaker = try CircuitBreaker("breaker")
        for _ in benchmark.scaledIterations { try breaker.admit(at: noon).settle(.success, at: noon) }
    }

    Benchmark("breaker.open") { benchmark in
        let breaker = try CircuitBreaker("breaker")
        breaker.isolate(at: noon)
        for _ in benchmark.scaledIterations {
            do throws(Rejection) { try breaker.admit(at: noon).settle(.success, at: noon) } catch { blackHole(error) }
        }
    }

    Benchmark("budget.deposit+withdraw") { benchmark in
        let budget = try RetryBudget("budget", .init(ratio: 1, burst: 1_000))
        for _ in benchmark.scaledIterations {
            budget.deposit(at: noon)
            blackHole(budget.withdraw(at: noon))
        }
    }

    Benchmark("backoff.delay") { benchmark in
        let backoff = try Backoff.exponential(from: .milliseconds(200))
        for _ in benchmark.scaledIterations { blackHole(backoff.delay(beforeRetry: 2)) }
    }

    Benchmark("policy.retry+breaker+bucket") { benchmark in
        let breaker = try CircuitBreaker("breaker")
        let bucket = try TokenBucket("bucket", .init(rate: .perSecond(1e9), burst: .max / 2))
        let policy = try Policy("policy") { () throws(ConfigurationError) in
            try Retry(upTo: 2)
            Gates(breaker, bucket)
        }
        for index in benchmark.scaledIterations { blackHole(try await policy.run { _ in index }) }
    }
}
