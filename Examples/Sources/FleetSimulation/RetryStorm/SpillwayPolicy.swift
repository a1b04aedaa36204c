import Spillway
import SpillwayTesting
import Synchronization

/// The production gates and policy, unchanged, under virtual time; a tick is a second.
///
/// Each replica has a breaker with the textbook's rule (40 % of the last 25 calls, 60 ticks of pause) and a bucket of its
/// slots. A failed call is tried again in the next tick, out of a budget; one that finds no slot goes back to the queue.
struct SpillwayPolicy: StormPolicy {
    let name = "spillway"

    func run(_ fleet: StormFleet) throws -> StormResult {
        let simulation = Simulation(seed: fleet.seed, limit: .max)
        let recovery = Recovery(pause: 60)
        let queue = Queue()
        let policy = try policy(fleet, simulation, recovery)
        try simulation.run {
            await withDiscardingTaskGroup { group in
                for tick in 0..<fleet.settings.ticks {
                    fleet.move(to: tick)
                    recovery.probe(at: simulation.time.now)
                    for _ in 0..<queue.take(for: fleet) {
                        group.addTask { await serve(fleet, policy, simulation, queue) }
                    }
                    try? await simulation.time.sleep(for: .seconds(1))
                }
            }
        }
        return fleet.result
    }

    private func policy(_ fleet: StormFleet, _ simulation: Simulation, _ recovery: Recovery) throws -> Policy {
        let slots = fleet.settings.slotsPerReplica
        let targets = try (0..<fleet.settings.replicas).map { replica in
            let breaker = try CircuitBreaker(
                "breaker-\(replica)",
                .init {
                    $0.openDuration = .seconds(60)
                    $0.openGrowth = 1
                    $0.maximumOpenDuration = .seconds(60)
                    $0.probes = 1
                    $0.ramp = .zero
                }, observer: recovery, random: simulation.random)
            recovery.watch(breaker)
            let free = try TokenBucket("slots-\(replica)", .init(rate: .perSecond(Double(slots)), burst: UInt32(slots)))
            return Target("\(replica)", gates: [free, breaker])
        }
        let retry = try Retry(
            upTo: 2, backoff: .constant(.seconds(1), jitter: .none), on: [.serverError], budget: RetryBudget("storm"),
            random: simulation.random)
        return try Policy("storm", time: simulation.time) { () throws(ConfigurationError) in
            retry
            Targets(.rotating, targets)
        }
    }

    private func serve(_ fleet: StormFleet, _ policy: Policy, _ simulation: Simulation, _ queue: Queue) async {
        do {
            try await policy.run(Call(idempotency: .idempotent)) { attempt throws(Sick) in
                // A retry may be the first to see the new tick, or come after the last.
                guard fleet.move(to: Int(simulation.time.now.nanoseconds / 1_000_000_000) - 1),
                    let replica = attempt.target.flatMap(Int.init), fleet.attempt(on: replica)
                else { throw Sick() }
            }
        } catch PolicyError<Sick>.rejected {
            queue.putBack()
        } catch {}  // out of attempts or of budget: the request is given up
    }
}

/// A call that failed.
private struct Sick: OutcomeError {
    var outcome: Outcome { .failure(.serverError) }
}

/// Requests that wait for a slot.
private final class Queue: Sendable {
    private let waiting = Mutex(0)

    /// Adds the arrivals of a tick to those who still have patience, and takes out as many as the fleet has slots.
    func take(for fleet: StormFleet) -> Int {
        let settings = fleet.settings
        return waiting.withLock { waiting in
            waiting = min(waiting, settings.patience) + settings.arrivals
            let taken = min(waiting, settings.replicas * settings.slotsPerReplica)
            waiting -= taken
            return taken
        }
    }

    func putBack() { waiting.withLock { $0 += 1 } }
}

extension StormFleet {
    /// Begins ticks until `tick` is the current one; false when there is no such tick.
    @discardableResult
    fileprivate func move(to tick: Int) -> Bool {
        while self.tick < tick, nextTick() != nil {}
        return self.tick == tick
    }
}
