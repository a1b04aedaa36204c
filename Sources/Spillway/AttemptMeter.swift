internal import SpillwayCore

/// Passes what an attempt uses on to the gates that want to know.
///
/// A permit that has been settled meanwhile says nothing to its gate.
final class AttemptMeter: UsageSink {
    private let permits: [RawPermit]
    /// An attempt may outlive its policy.
    private let states: [GateState]
    private let time: any TimeSource

    init(_ permits: [RawPermit], _ time: any TimeSource) {
        self.permits = permits
        states = permits.map { $0.state.takeUnretainedValue() }
        self.time = time
    }

    func used(_ usage: Usage) -> Bool {
        let now = time.now
        // All are told, also after one that says stop.
        return permits.reduce(true) { goesOn, permit in
            permit.state._withUnsafeGuaranteedRef { $0.use(permit, usage, at: now) } && goesOn
        }
    }
}
