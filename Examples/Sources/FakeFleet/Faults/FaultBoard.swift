import Synchronization

/// The active faults of the fleet and the seeded dice that decide which call they strike.
final class FaultBoard: Sendable {
    private struct State {
        var rules: [FaultRule] = []
        /// How many calls each rule has struck.
        var strikes: [Int] = []
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
        set {
            state.withLock { state in
                state.rules = newValue
                state.strikes = newValue.map { _ in 0 }
            }
        }
    }

    /// The fault that strikes a call, or `nil`: the first rule for the replica that is not over, can show in the call, and
    /// wins its draw.
    func draw(replica: Int, streamed: Bool, promptTokens: Int, isPrefilled: Bool = false) -> FaultRule? {
        state.withLock { state in
            for (index, rule) in state.rules.enumerated()
            where (rule.replica ?? replica) == replica
                && state.strikes[index] < rule.count ?? .max
                && rule.kind.applies(streamed: streamed, promptTokens: promptTokens, isPrefilled: isPrefilled)
                && Double.random(in: 0..<1, using: &state.random) < rule.probability
            {
                state.strikes[index] += 1
                return rule
            }
            return nil
        }
    }
}
