import Synchronization

/// The active faults of the fleet and the seeded dice that decide which call they strike.
final class FaultBoard: Sendable {
    private struct State {
        var rules: [FaultRule] = []
        var random: SplitMix64
    }

    private let state: Mutex<State>

    /// A board without faults.
    init(seed: UInt64) {
        state = Mutex(State(random: SplitMix64(seed: seed)))
    }

    /// The active faults; setting replaces them all.
    var rules: [FaultRule] {
        get { state.withLock { $0.rules } }
        set { state.withLock { $0.rules = newValue } }
    }

    /// The fault that strikes a call, or `nil`: the first rule for the replica that can show in it and wins its draw.
    func draw(replica: Int, streamed: Bool, promptTokens: Int) -> FaultRule? {
        state.withLock { state in
            for rule in state.rules
            where (rule.replica ?? replica) == replica
                && rule.kind.applies(streamed: streamed, promptTokens: promptTokens)
                && Double.random(in: 0..<1, using: &state.random) < rule.probability
            {
                return rule
            }
            return nil
        }
    }
}
