import FleetFaults
import SpillwayTesting
import Synchronization

/// What the fleet has served, counted by phase and by replica.
final class Ledger: Sendable {
    /// A call in progress; whatever becomes of it counts in the phase in which it arrived.
    struct Call: Sendable {
        let replica: Int
        fileprivate let phase: String
        fileprivate let epoch: Int
    }

    private struct Counts {
        var calls = 0
        var completed = 0
        var tokens = 0
        /// Calls whose first token is there.
        var begun = 0
        var faults: [String: Int] = [:]
    }

    private struct State {
        var phase = "initial"
        /// Rises with every reset, so that calls from before it no longer count.
        var epoch = 0
        var phases: [String: Counts] = [:]
        var replicas: [Int: Counts] = [:]
        var ports: [Int: Int] = [:]
        /// The load of each engine, in order, when the counts were last zeroed.
        var loadsBefore: [EngineModel.Load] = []

        mutating func count(_ call: Call, _ change: (inout Counts) -> Void) {
            guard call.epoch == epoch else { return }
            change(&phases[call.phase, default: Counts()])
            change(&replicas[call.replica, default: Counts()])
        }
    }

    private let state = Mutex(State())

    /// Counts a generation call that has arrived at a replica.
    func begin(replica: Int) -> Call {
        state.withLock { state in
            let call = Call(replica: replica, phase: state.phase, epoch: state.epoch)
            state.count(call) { $0.calls += 1 }
            return call
        }
    }

    /// Counts a call whose whole, intact answer has been written to its client.
    func completed(_ call: Call) {
        state.withLock { $0.count(call) { $0.completed += 1 } }
    }

    /// Counts a call whose first token is there.
    func began(_ call: Call) {
        state.withLock { $0.count(call) { $0.begun += 1 } }
    }

    /// Counts tokens of answers that went out to clients, also of answers that broke off.
    func generated(_ tokens: Int, by call: Call) {
        state.withLock { $0.count(call) { $0.tokens += tokens } }
    }

    /// Counts a fault that strikes a call.
    func record(_ fault: FaultKind, in call: Call) {
        state.withLock { $0.count(call) { $0.faults[fault.rawValue, default: 0] += 1 } }
    }

    /// Labels the calls that arrive from now on.
    func enter(phase: String) {
        state.withLock { state in
            state.phase = phase
            // A phase without calls shows too.
            state.phases[phase] = state.phases[phase] ?? Counts()
        }
    }

    /// Zeroes all counts, with the load of each replica in order; the phase stays.
    func reset(loads: [EngineModel.Load]) {
        state.withLock { state in
            state.epoch += 1
            state.phases = [:]
            state.replicas = [:]
            state.loadsBefore = loads
        }
    }

    /// Notes the ports of the replicas, by number.
    func listen(on ports: [Int: Int]) {
        state.withLock { $0.ports = ports }
    }

    /// All counts as JSON, with the load of each replica in order.
    func report(loads: [EngineModel.Load]) -> JSONValue {
        let state = state.withLock { $0 }
        let phases = state.phases.mapValues { counts -> JSONValue in
            [
                "calls": .count(counts.calls),
                "completed": .count(counts.completed),
                "tokens": .count(counts.tokens),
                "faults": .object(counts.faults.mapValues { .count($0) }),
            ]
        }
        let replicas = loads.enumerated().map { offset, load -> JSONValue in
            let counts = state.replicas[offset + 1] ?? Counts()
            let before = offset < state.loadsBefore.count ? state.loadsBefore[offset] : EngineModel.Load()
            return [
                "port": .count(state.ports[offset + 1] ?? 0),
                "calls": .count(counts.calls),
                "completed": .count(counts.completed),
                "prompt_tokens": .count(Self.read(load, since: before, begun: counts.begun)),
                // The engine's own count: what it generated for calls that were aborted never went through here.
                "generated_tokens": .count(load.tokensGenerated - before.tokensGenerated),
                "running": .count(load.running),
                "waiting": .count(load.waiting),
                "preemptions": .count(load.preemptions),
            ]
        }
        return ["phases": .object(phases), "replicas": .array(replicas)]
    }

    /// Prompt tokens that an engine has read, whatever became of their calls: computed, or found in its cache.
    ///
    /// It computes all tokens of a call but the last one generated. What it computed again for preempted calls would count
    /// twice, so that the prompts of all calls that joined the batch are the most that it can be.
    private static func read(_ load: EngineModel.Load, since before: EngineModel.Load, begun: Int) -> Int {
        let computed = load.tokensComputed - before.tokensComputed
        let decoded = max(0, load.tokensGenerated - before.tokensGenerated - begun)
        let found = load.prefixHits - before.prefixHits
        return min(load.prefixQueries - before.prefixQueries, max(0, computed - decoded) + found)
    }
}
