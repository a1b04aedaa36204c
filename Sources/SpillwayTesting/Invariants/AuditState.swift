internal import SpillwayCore

/// What permits of an audited gate point to: the list of those that are out.
///
/// Like every gate's state it is never freed, so that a permit that is settled twice finds it there and is told apart.
final class AuditState: GateState, @unchecked Sendable {
    /// What the gate may let pass.
    struct Limit {
        let meter: RateMeter
        let perKey: Bool
        let cost: @Sendable (Call) -> UInt32
    }

    private struct Open {
        let permit: RawPermit
        let key: String?
        let admission: Int?
    }

    private struct Ledger {
        var gate: (any Gate)?
        var limit: Limit?
        var counts = AuditedGate.Counts()
        var open: [UInt64: Open] = [:]
        var twice: [UInt64] = []
        var meters: [String?: RateMeter] = [:]
        /// Goes on from life to life, so that no number is ever given twice.
        var lastNumber: UInt64 = 0
        var firstNumber: UInt64 = 0
        var afterLast: (@Sendable () -> Void)?
    }

    private let ledger = Locked(Ledger())

    func begin(_ gate: any Gate, _ limit: Limit?) {
        ledger.withLock { ledger in
            ledger = Ledger(gate: gate, limit: limit, lastNumber: ledger.lastNumber, firstNumber: ledger.lastNumber)
        }
    }

    /// Ends the life, as soon as the last permit has come back.
    func end(then afterLast: @escaping @Sendable () -> Void) {
        let (gate, idle) = ledger.withLock { ledger -> ((any Gate)?, Bool) in
            let gate = ledger.gate
            ledger.gate = nil
            ledger.meters = [:]
            if !ledger.open.isEmpty { ledger.afterLast = afterLast }
            return (gate, ledger.open.isEmpty)
        }
        _ = consume gate  // let go outside of the lock: its `deinit` may be anybody's
        if idle { finish(afterLast) }
    }

    private func finish(_ afterLast: @Sendable () -> Void) {
        endLife()
        afterLast()
    }

    override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        let (gate, limit) = ledger.withLock { ($0.gate, $0.limit) }
        guard let gate else { return .free(at: now) }
        let cost = limit?.cost(call) ?? 0
        let permit = try gate.admit(call, at: now).take()
        let number = ledger.withLock { ledger in
            ledger.lastNumber += 1
            ledger.counts.admitted += 1
            var admission: Int?
            let key = limit?.perKey == true ? call.key : nil
            if let limit, cost > 0 { admission = ledger.meters[key, default: limit.meter].took(cost, at: now) }
            ledger.open[ledger.lastNumber] = Open(permit: permit, key: key, admission: admission)
            return ledger.lastNumber
        }
        return Permit(
            RawPermit(state: .passUnretained(self), token: number, admitted: now, cost: 0, life: life))
    }

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        let (open, afterLast) = ledger.withLock { ledger -> (Open?, (@Sendable () -> Void)?) in
            guard permit.life == life else { return (nil, nil) }
            guard let open = ledger.open.removeValue(forKey: permit.token) else {
                ledger.twice.append(permit.token)
                return (nil, nil)
            }
            if outcome == nil {
                ledger.counts.voided += 1
                if let admission = open.admission { ledger.meters[open.key]?.gaveBack(admission) }
            } else {
                ledger.counts.settled += 1
            }
            guard ledger.open.isEmpty, let afterLast = ledger.afterLast else { return (open, nil) }
            ledger.afterLast = nil
            return (open, afterLast)
        }
        open?.permit.settle(outcome, at: now)
        if let afterLast { finish(afterLast) }
    }

    var counts: AuditedGate.Counts { ledger.withLock { $0.counts } }

    func violations(of name: String) -> [Violation] {
        ledger.withLock { ledger in
            func number(_ token: UInt64) -> UInt64 { token - ledger.firstNumber }
            let lost = ledger.open.sorted { $0.key < $1.key }.map { token, open in
                Violation(
                    .permits, "\(name): permit \(number(token)), given at \(open.permit.admitted), was never settled")
            }
            let twice = ledger.twice.map { Violation(.permits, "\(name): permit \(number($0)) was settled again") }
            let rates = ledger.meters.sorted { ($0.key ?? "") < ($1.key ?? "") }.compactMap { key, meter in
                meter.excess.map { Violation(.rate, "\(name)\(key.map { " for '\($0)'" } ?? ""): \($0)") }
            }
            return lost + twice + rates
        }
    }
}
