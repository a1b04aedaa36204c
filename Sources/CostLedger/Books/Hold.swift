public import SpillwayCore

/// Money that is held for one attempt until it is known what it cost.
///
/// Settled once, with ``settle(_:source:outcome:at:)``, or voided: also by being dropped, so that a hold is never leaked. One
/// that is older than the ledger allows lies in suspense, and can still be settled.
public struct Hold: ~Copyable, Sendable {
    // Its books outlive it: see `LedgerState`.
    private let permit: RawPermit

    init(_ permit: RawPermit) { self.permit = permit }

    deinit { Self.settle(permit, nil, .estimated, .neutral(.cancelled), at: permit.admitted) }

    private static func settle(
        _ permit: RawPermit, _ cost: Money?, _ source: Usage.Source, _ outcome: Outcome, at now: Instant
    ) {
        permit.state._withUnsafeGuaranteedRef {
            unsafeDowncast($0, to: LedgerState.self).settle(permit.token, cost, source, outcome, at: now)
        }
    }

    /// Takes what the attempt has cost, and gives back what is left of what was held.
    ///
    /// - Parameters:
    ///   - cost: What it has cost; what is above the held amount is booked as overage. Below 0 counts as 0.
    ///   - source: Where that is known from; the provider by default.
    ///   - outcome: How the attempt ended; a success by default.
    ///   - now: When it ended.
    public consuming func settle(
        _ cost: Money, source: Usage.Source = .provider, outcome: Outcome = .success, at now: Instant
    ) {
        Self.settle(permit, cost, source, outcome, at: now)
        discard self
    }

    /// Gives back what was held, because the attempt never ran.
    public consuming func void(at now: Instant) {
        Self.settle(permit, nil, .estimated, .neutral(.cancelled), at: now)
        discard self
    }

    /// Its number in the ledger's postings; 0 when it has been resolved meanwhile.
    public var number: UInt64 {
        permit.state._withUnsafeGuaranteedRef {
            unsafeDowncast($0, to: LedgerState.self).number(of: permit.token)
        }
    }

    /// Holds up to `amount` in all, for an attempt that will cost more than was thought.
    ///
    /// - Returns: False when a limit does not allow it; then what was held stays held.
    public borrowing func extend(to amount: Money, at now: Instant) -> Bool {
        permit.state._withUnsafeGuaranteedRef {
            unsafeDowncast($0, to: LedgerState.self).extend(permit.token, to: amount, at: now)
        }
    }
}
