internal import SpillwayCore

/// What permits of an audited gate point to.
///
/// Like every gate's state it is never freed, so that a permit that is settled twice finds it there and is told apart.
final class AuditState: GateState, @unchecked Sendable {
    private struct Contents {
        var gate: (any Gate)?
        var ledger: PermitLedger?
        /// Goes on from life to life, so that no number is ever given twice.
        var lastNumber: UInt64 = 0
    }

    private let contents = Locked(Contents())

    /// Starts a life around `gate`, with a ledger of its own.
    func begin(_ gate: any Gate, _ limit: PermitLedger.Limit?) -> PermitLedger {
        contents.withLock { contents in
            let ledger = PermitLedger(gate.name, limit, after: contents.lastNumber)
            contents.gate = gate
            contents.ledger = ledger
            return ledger
        }
    }

    /// Ends the life, as soon as the last permit has come back.
    func end(then afterLast: @escaping @Sendable () -> Void) {
        let (gate, ledger) = contents.withLock { contents in
            defer { contents.gate = nil }
            return (contents.gate, contents.ledger)
        }
        _ = consume gate  // let go outside of the lock: its `deinit` may be anybody's
        let finish = { @Sendable [self] in
            contents.withLock { contents in
                contents.lastNumber = contents.ledger?.lastNumber ?? contents.lastNumber
                contents.ledger = nil
            }
            endLife()
            afterLast()
        }
        if ledger?.afterLast(finish) != true { finish() }
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let (gate, ledger) = contents.withLock { ($0.gate, $0.ledger) }
        guard let gate, let ledger else { return .free(at: now) }
        let permit = try gate.admit(call, at: now).take()
        let number = ledger.enter(permit, call, at: now)
        return Permit(
            RawPermit(state: .passUnretained(self), token: number, admitted: now, cost: 0, life: life))
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        guard permit.life == life, let ledger = contents.withLock({ $0.ledger }) else { return }
        let (inner, afterLast) = ledger.take(permit.token, outcome)
        inner?.settle(outcome, at: now)
        afterLast?()
    }
}
