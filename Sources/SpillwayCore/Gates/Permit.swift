/// A call's right to pass a gate, to be settled exactly once with how the call ended.
///
/// A permit that is dropped settles itself as neutral. It may outlive its gate; then settling it does nothing.
@frozen
public struct Permit: ~Copyable, Sendable {
    @usableFromInline let raw: RawPermit

    /// A permit of a gate of this package.
    @inlinable
    public init(_ raw: RawPermit) { self.raw = raw }

    /// A permit of a gate of the user's own.
    ///
    /// - Parameters:
    ///   - now: When the gate admitted.
    ///   - settle: Called once, with the outcome and the time; a nil outcome means that the call never ran, so what was
    ///     taken must be given back.
    public init(at now: Instant, settle: @escaping @Sendable (Outcome?, Instant) -> Void) {
        let state = Unmanaged<GateState>.passRetained(ClosureState(settle))
        raw = RawPermit(state: state, token: 0, admitted: now, cost: 0, life: 0)
    }

    /// A permit of a gate that has nothing to settle.
    public static func free(at now: Instant) -> Permit {
        Permit(RawPermit(state: .passUnretained(NoState.shared), token: 0, admitted: now, cost: 0, life: 0))
    }

    deinit {
        raw.settle(.neutral(.cancelled), at: raw.admitted)
    }

    /// Settles with any outcome.
    ///
    /// - Parameters:
    ///   - outcome: How the call ended.
    ///   - now: When the call ended.
    @inlinable
    public consuming func settle(_ outcome: Outcome, at now: Instant) {
        raw.settle(outcome, at: now)
        discard self
    }

    /// Settles with any outcome, and with what was measured of the call.
    ///
    /// Gates that count tokens give back what was estimated and not used, and charge what was used and not estimated.
    ///
    /// - Parameters:
    ///   - outcome: How the call ended.
    ///   - measured: Time to the first content, tokens a second, what was really used: as much of it as is known.
    ///   - now: When the call ended.
    public consuming func settle(_ outcome: Outcome, _ measured: Measurements, at now: Instant) {
        raw.settle(outcome, measured, at: now)
        discard self
    }

    /// Settles with any outcome.
    ///
    /// - Parameters:
    ///   - outcome: How the call ended.
    ///   - elapsed: The time from admission to the end of the call.
    public consuming func settle(_ outcome: Outcome, after elapsed: Duration) {
        raw.settle(outcome, at: raw.admitted.advanced(by: elapsed))
        discard self
    }

    /// Settles as a success after `elapsed`.
    public consuming func succeed(after elapsed: Duration) {
        settle(.success, after: elapsed)
    }

    /// Settles as a failure after `elapsed`.
    public consuming func fail(_ cause: Outcome.Cause = .unknown, after elapsed: Duration) {
        settle(.failure(cause), after: elapsed)
    }

    /// Gives back what was taken, because the call never ran.
    @inlinable
    public consuming func void(at now: Instant) {
        raw.settle(nil, at: now)
        discard self
    }

    /// Takes the plain words out, for a policy that keeps several permits in one frame and settles each itself.
    @inlinable
    public consuming func take() -> RawPermit {
        let raw = raw
        discard self
        return raw
    }
}

/// The plain words of a permit.
///
/// Whoever holds them must settle them once.
public struct RawPermit: Sendable {
    /// Not counted: see ``GateState``.
    ///
    /// A `ClosureState` holds itself until it is settled.
    public let state: Unmanaged<GateState>
    /// The gate's own: the generation, or what the bucket became.
    public let token: UInt64
    /// When the gate admitted.
    public let admitted: Instant
    /// Units that were taken, or the number of the probe.
    public let cost: UInt32
    /// The life of the state in which the permit was given.
    public let life: UInt32

    /// The words of a permit.
    @inlinable
    public init(state: Unmanaged<GateState>, token: UInt64, admitted: Instant, cost: UInt32, life: UInt32) {
        self.state = state
        self.token = token
        self.admitted = admitted
        self.cost = cost
        self.life = life
    }

    /// Settles the permit.
    @inlinable
    public func settle(_ outcome: Outcome?, at now: Instant) {
        state._withUnsafeGuaranteedRef { $0.settle(self, outcome, at: now) }
    }

    /// Settles the permit, with what was measured.
    public func settle(_ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        state._withUnsafeGuaranteedRef { $0.settle(self, outcome, measured, at: now) }
    }
}

private final class NoState: GateState, @unchecked Sendable {
    static let shared = NoState()
}

private final class ClosureState: GateState, @unchecked Sendable {
    private let action: @Sendable (Outcome?, Instant) -> Void

    init(_ action: @escaping @Sendable (Outcome?, Instant) -> Void) { self.action = action }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        action(outcome, now)
        permit.state.release()
    }
}
