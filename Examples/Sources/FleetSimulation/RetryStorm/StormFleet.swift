import Synchronization

/// A fleet in a partial outage, tick by tick: what every policy is played against.
///
/// ``nextTick()`` frees all slots, until it returns nil; in between a policy spends the slots with ``attempt(on:)``. The
/// fleet does not keep the queue: each tick brings `settings.arrivals` requests, and a policy carries over what it could
/// not serve, at most `settings.patience`.
final class StormFleet: Sendable {
    let settings: StormSettings
    let seed: UInt64
    private let state: Mutex<State>

    private struct State {
        var tick = -1
        var slots: [Int]
        var dice: any Dice
        var result: StormResult
    }

    /// A fleet before its first tick.
    init(_ settings: StormSettings, seed: UInt64, dice: any Dice) {
        self.settings = settings
        self.seed = seed
        state = Mutex(
            State(slots: Array(repeating: 0, count: settings.replicas), dice: dice, result: StormResult(settings)))
    }

    /// The current tick; −1 before the first.
    var tick: Int { state.withLock { $0.tick } }

    /// What has come of the calls so far.
    var result: StormResult { state.withLock { $0.result } }

    /// Begins the next tick and returns it; nil when all are over.
    func nextTick() -> Int? {
        state.withLock { state in
            guard state.tick + 1 < settings.ticks else { return nil }
            state.tick += 1
            for replica in state.slots.indices { state.slots[replica] = settings.slotsPerReplica }
            return state.tick
        }
    }

    /// Calls that the replica still takes in this tick.
    func slotsLeft(_ replica: Int) -> Int { state.withLock { $0.slots[replica] } }

    /// Spends one of the replica's slots, of which there must be one, and says whether the call succeeded.
    func attempt(on replica: Int) -> Bool {
        state.withLock { state in
            precondition(state.slots[replica] > 0, "replica \(replica) has no slot left in tick \(state.tick)")
            let index = settings.slotsPerReplica - state.slots[replica]
            state.slots[replica] -= 1
            // A sick replica does not draw: the textbook's program does not, either.
            let succeeds =
                !isSick(replica, at: state.tick)
                && state.dice.succeeds(
                    in: Slot(tick: state.tick, replica: replica, index: index), share: settings.success)
            state.result.count(succeeds, at: state.tick)
            return succeeds
        }
    }

    /// Turns one success of this tick into waste: a duplicate whose twin succeeded, too.
    func discardSuccess() {
        state.withLock { $0.result.discardSuccess(at: $0.tick) }
    }

    /// A choice that depends on the seed: from 0 up to, but not including, `count`.
    func pick(below count: Int) -> Int { state.withLock { $0.dice.pick(below: count) } }

    /// Whether the replica fails every call in `tick`; no policy but the oracle may ask.
    func isSick(_ replica: Int, at tick: Int) -> Bool {
        replica < settings.sickReplicas && settings.outage.contains(tick)
    }
}
