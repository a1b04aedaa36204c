import Spillway
import SpillwayCore
import SpillwayTesting

/// Builds a policy under manual time.
func makePolicy(
    _ time: ManualTime, observer: (any Observer)? = nil,
    @PolicyBuilder _ parts: () throws(ConfigurationError) -> [PolicyBuilder.Part]
) throws -> Policy {
    try Policy("test", observer: observer, time: time, parts)
}

/// An error that says what it means.
struct Trouble: OutcomeError, Equatable {
    var number = 0
    var outcome: Outcome

    init(_ cause: Outcome.Cause, retryAfter: Duration? = nil, number: Int = 0) {
        outcome = .of(cause, retryAfter: retryAfter)
        self.number = number
    }
}

/// A gate that counts what becomes of its permits, and refuses when it is told to.
final class CountingGate: Gate {
    struct Counts: Equatable {
        var admitted = 0
        var settled = 0
        var voided = 0
    }

    let name: String
    private let label: GateName
    private let contents = Locked((counts: Counts(), refuses: false))

    init(_ name: String = "counting") {
        self.name = name
        label = GateName(registering: name)
    }

    deinit { label.release() }

    var counts: Counts { contents.withLock { $0.counts } }

    /// Whether every permit that was given has been settled or voided, once.
    var isWhole: Bool { counts.admitted == counts.settled + counts.voided }

    var refuses: Bool {
        get { contents.withLock { $0.refuses } }
        set { contents.withLock { $0.refuses = newValue } }
    }

    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let refuses = contents.withLock { contents in
            if !contents.refuses { contents.counts.admitted += 1 }
            return contents.refuses
        }
        if refuses { throw Rejection(by: label, reason: .other, retryAfter: .seconds(3)) }
        return Permit(at: now) { outcome, _ in
            self.contents.withLock { contents in
                if outcome == nil { contents.counts.voided += 1 } else { contents.counts.settled += 1 }
            }
        }
    }
}

/// Runs `body` while another task moves time on whenever somebody sleeps on it.
func whileTimePasses<Value: Sendable>(_ time: ManualTime, _ body: () async throws -> Value) async rethrows -> Value {
    let mover = Task {
        while !Task.isCancelled {
            if let wake = time.nextWake { time.advance(by: time.now.duration(to: wake)) }
            await Task.yield()
        }
    }
    defer { mover.cancel() }
    return try await body()
}

/// A number that tasks count up together.
final class Counter: Sendable {
    private let value = Locked(0)
    var total: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

/// A gate with so many places.
final class Slots: Gate {
    let name: String
    private let label: GateName
    private let free: Locked<Int>

    init(_ total: Int, _ name: String = "slots") {
        self.name = name
        label = GateName(registering: name)
        free = Locked(total)
    }

    deinit { label.release() }

    var left: Int { free.withLock { $0 } }

    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let isFree = free.withLock { free in
            if free > 0 { free -= 1 } else { return false }
            return true
        }
        guard isFree else { throw Rejection(by: label, reason: .concurrencyLimited) }
        return Permit(at: now) { _, _ in self.free.withLock { $0 += 1 } }
    }
}

/// Names in the order in which they were added.
final class Log: Sendable {
    private let names = Locked<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { $0.append(name) } }
}
