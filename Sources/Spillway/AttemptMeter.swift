internal import SpillwayCore

/// Passes what an attempt uses on to the gates that want to know, and remembers it for when it ends.
///
/// A permit that has been settled meanwhile says nothing to its gate. The permits lie in the object itself, so that a meter is
/// two pieces of memory: itself, and what its lock guards.
final class AttemptMeter: UsageSink {
    /// Those whose gates ask; each holds its gate's state, because an attempt may outlive its policy.
    private let permits: PermitStack
    private let time: any TimeSource
    private let latest = Locked<Usage?>(nil)

    init(_ permits: PermitStack, _ time: any TimeSource) {
        var metered = PermitStack()
        permits.forEach { permit in
            guard permit.state._withUnsafeGuaranteedRef(\.isMetered) else { return }
            _ = permit.state.retain()
            metered.push(permit)
        }
        self.permits = metered
        self.time = time
    }

    deinit { permits.forEach { $0.state.release() } }

    /// What was told last; nil: nothing.
    var usage: Usage? { latest.withLock { $0 } }

    func used(_ usage: Usage) -> Bool {
        latest.withLock { $0 = usage }
        let now = time.now
        var goesOn = true
        // All are told, also after one that says stop.
        permits.forEach { permit in
            goesOn = permit.state._withUnsafeGuaranteedRef { $0.use(permit, usage, at: now) } && goesOn
        }
        return goesOn
    }
}
