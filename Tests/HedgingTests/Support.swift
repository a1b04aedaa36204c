import Foundation
import Hedging
import Retrying
import SpillwayCore
import SpillwayTesting

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// A call that may be made twice.
let twice = Call(idempotency: .idempotent)

/// The error of one attempt.
struct Trouble: Error, Equatable {
    let attempt: Int
}

/// A budget that remembers every step.
final class Purse: AttemptBudget {
    struct Books: Equatable {
        var deposits = 0
        var withdrawn = 0
        var restored = 0
        var refused = 0
    }

    private let size: Int
    private let contents = Locked(Books())

    init(_ size: Int = .max) { self.size = size }

    var books: Books { contents.withLock { $0 } }
    /// Attempts that were paid for.
    var spent: Int { contents.withLock { $0.withdrawn - $0.restored } }

    func deposit(at now: Instant) { contents.withLock { $0.deposits += 1 } }
    func restore() { contents.withLock { $0.restored += 1 } }
    func withdraw(at now: Instant) -> Bool {
        contents.withLock { books in
            let paid = books.withdrawn - books.restored < size
            if paid { books.withdrawn += 1 } else { books.refused += 1 }
            return paid
        }
    }
}

/// What attempts do, and what became of them.
final class Service: Sendable {
    /// One attempt: how long it takes, how it ends, and whether it ends early when cancelled.
    struct Plan: Sendable {
        var seconds: Double
        var succeeds = true
        var ignoresCancellation = false
    }

    struct Entry: Equatable {
        let attempt: Int
        let what: String
        let at: Double
    }

    private struct Contents {
        var running = 0
        var most = 0
        var entries: [Entry] = []
    }

    private let simulation: Simulation
    private let plans: [Plan]
    private let contents = Locked(Contents())

    init(_ simulation: Simulation, _ plans: [Plan]) {
        self.simulation = simulation
        self.plans = plans
    }

    var running: Int { contents.withLock { $0.running } }
    var started: Int { contents.withLock { $0.entries.count { $0.what == "starts" } } }
    /// What happened, as text: attempt, what, and seconds since the simulation began.
    var story: [String] {
        contents.withLock { $0.entries.map { "\($0.attempt) \($0.what) \(($0.at * 1_000).rounded() / 1_000)" } }
    }

    private func log(_ attempt: Int, _ what: String, _ change: Int) {
        let now = Double(simulation.time.now.nanoseconds) / 1e9 - 1
        contents.withLock { contents in
            contents.running += change
            contents.most = max(contents.most, contents.running)
            contents.entries.append(Entry(attempt: attempt, what: what, at: now))
        }
    }

    /// One attempt; its value is its number.
    func perform(_ attempt: Attempt) async throws(Trouble) -> Int {
        let number = attempt.hedge + 1, plan = plans[min(number, plans.count) - 1]
        log(number, "starts", 1)
        do {
            let time = simulation.time
            if plan.ignoresCancellation {
                _ = try await simulation.start("stubborn") {
                    try await time.sleep(for: .seconds(plan.seconds))
                }.value
            } else {
                try await time.sleep(for: .seconds(plan.seconds))
            }
        } catch {
            log(number, "cancelled", -1)
            throw Trouble(attempt: number)
        }
        log(number, plan.succeeds ? "succeeds" : "fails", -1)
        if !plan.succeeds { throw Trouble(attempt: number) }
        return number
    }
}

extension Hedge {
    /// Makes a call of `service` in `simulation`.
    func call(
        _ service: Service, _ simulation: Simulation, _ call: Call = twice, deadline: Instant? = nil
    ) async -> Result<Int, PolicyError<Trouble>> {
        do throws(PolicyError<Trouble>) {
            return .success(
                try await run(call, deadline: deadline, time: simulation.time) { attempt throws(Trouble) -> Int in
                    try await service.perform(attempt)
                })
        } catch {
            return .failure(error)
        }
    }
}

extension Result where Success == Int, Failure == PolicyError<Trouble> {
    /// The number of the attempt that won; nil when none did.
    var winner: Int? { try? get() }
    /// The attempt whose error the call failed with.
    var failed: Int? { if case .failure(.operation(let trouble)) = self { trouble.attempt } else { nil } }
}

extension RandomSource {
    /// A number from 0 to 1.
    func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
    /// A number of the standard normal distribution (Box and Muller).
    func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
    /// The time to the next of events that come `rate` times a second (a Poisson process).
    func gap(_ rate: Double) -> Duration { .seconds(-log(1 - uniform()) / rate) }
}
