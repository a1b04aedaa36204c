import Retrying
import SpillwayCore
import SpillwayTesting

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// Runs `body` for each of `count` seeds; what it expects names the seed.
func forSeeds(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

/// An error that says what it means, and which attempt it comes from.
struct Trouble: OutcomeError, Equatable {
    let outcome: Outcome
    var attempt = 0

    init(_ cause: Outcome.Cause, retryAfter: Duration? = nil, attempt: Int = 0) {
        outcome = .of(cause, retryAfter: retryAfter)
        self.attempt = attempt
    }
}

/// A budget of `burst` attempts that nothing fills again, unless calls pay in.
func makeBudget(burst: Int, ratio: Double = 0, floor: Double = 0) throws -> RetryBudget {
    try RetryBudget("budget", .init(ratio: ratio, burst: burst, minimumPerSecond: floor, window: .seconds(86_400)))
}

/// Manual time that moves on by itself as far as a sleeper wants, and remembers how long each slept.
final class EagerTime: TimeSource {
    let manual = ManualTime()
    private let log = Locked<[Duration]>([])

    var now: Instant { manual.now }
    var slept: [Duration] { log.withLock { $0 } }

    func sleep(until instant: Instant) async throws(CancellationError) {
        if Task.isCancelled { throw CancellationError() }
        let wait = max(.zero, manual.now.duration(to: instant))
        log.withLock { $0.append(wait) }
        manual.advance(by: wait)
    }
}

/// A number that tasks count up together.
final class Counter: Sendable {
    private let value = Locked(0)
    var total: Int { value.withLock { $0 } }

    @discardableResult
    func add() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

/// Adds up what `count` tasks return.
func sum(over count: Int, _ body: @escaping @Sendable (Int) -> Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        for task in 0..<count { group.addTask { body(task) } }
        return await group.reduce(0, +)
    }
}
