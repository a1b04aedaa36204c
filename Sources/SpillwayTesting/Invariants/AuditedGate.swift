public import SpillwayCore

/// A gate around another one, which counts its permits for an ``Audit``.
///
/// It decides as the gate within. Made by ``Audit/gate(_:meter:perKey:cost:)``; give it to a policy in place of the gate.
public final class AuditedGate: BuiltInGate {
    /// What became of a gate's permits.
    public struct Counts: Sendable, Hashable {
        /// Permits that were given.
        public var admitted = 0
        /// Permits that were settled with an outcome.
        public var settled = 0
        /// Permits that were given back, because the call never ran.
        public var voided = 0
        /// Permits that are out.
        public var open: Int { admitted - settled - voided }
    }

    private static let pool = StatePool<AuditState>()

    /// The name of the gate within.
    public let name: String
    private let audited: AuditState
    let ledger: PermitLedger
    /// What permits and policies point to.
    public var state: GateState { audited }

    init(_ gate: any Gate, _ limit: PermitLedger.Limit?) {
        name = gate.name
        audited = Self.pool.take { AuditState() }
        ledger = audited.begin(gate, limit)
    }

    deinit {
        let state = audited
        state.end { Self.pool.put(state) }
    }

    /// Asks the gate within.
    ///
    /// - Throws: Its `Rejection`.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try audited.admit(call, at: now)
    }

    /// What became of the permits so far.
    public var counts: Counts { ledger.counts }
}
