import SpillwayCore

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// Runs `body` for each of `count` seeds; what it expects names the seed.
func forSeeds(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

/// A reference that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let locked: Locked<Value>

    init(_ value: Value) { locked = Locked(value) }

    var value: Value { locked.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { locked.withLock { body(&$0) } }
}

/// What an operation throws.
struct Trouble: Error, Equatable {
    var text = "trouble"
}

/// How a call ended, to be looked at.
enum Ending<Success: Equatable & Sendable>: Equatable, Sendable {
    case value(Success)
    case failed(Trouble)
    case timedOut(TimeLimit, last: Trouble?)
    case other
}

func ending<Success>(
    _ body: () async throws(PolicyError<Trouble>) -> Success
) async -> Ending<Success> {
    do throws(PolicyError<Trouble>) { return .value(try await body()) } catch {
        return switch error {
        case .operation(let trouble): .failed(trouble)
        case .timedOut(let limit, let last): .timedOut(limit, last: last)
        default: .other
        }
    }
}

extension TimeSource {
    /// Waits for ever, and throws when it is cancelled, as a transport does.
    func hang() async throws(Trouble) {
        do { try await sleep(until: .distantFuture) } catch { throw Trouble(text: "cancelled") }
    }

    /// Waits, and throws when it is cancelled, as a transport does.
    func work(for duration: Duration) async throws(Trouble) {
        do { try await sleep(for: duration) } catch { throw Trouble(text: "cancelled") }
    }
}
