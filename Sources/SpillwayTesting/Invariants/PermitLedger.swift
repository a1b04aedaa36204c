internal import SpillwayCore

/// The permits of one audited gate: those that are out, and what became of the others.
///
/// It does not know the gate, so that an ``Audit`` which keeps it does not keep a gate whose observer it is.
final class PermitLedger: Sendable {
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

    private struct Contents {
        var counts = AuditedGate.Counts()
        var open: [UInt64: Open] = [:]
        var twice: [UInt64] = []
        var meters: [String?: RateMeter] = [:]
        var lastNumber: UInt64
        var afterLast: (@Sendable () -> Void)?
    }

    let name: String
    private let limit: Limit?
    private let firstNumber: UInt64
    private let contents: Locked<Contents>

    /// A ledger whose permits are numbered from after `number`.
    init(_ name: String, _ limit: Limit?, after number: UInt64) {
        self.name = name
        self.limit = limit
        firstNumber = number
        contents = Locked(Contents(lastNumber: number))
    }

    var counts: AuditedGate.Counts { contents.withLock { $0.counts } }

    /// The number of the permit that was given last.
    var lastNumber: UInt64 { contents.withLock { $0.lastNumber } }

    /// Enters a permit that the gate gave for `call`, and numbers it.
    func enter(_ permit: RawPermit, _ call: Call, at now: Instant) -> UInt64 {
        let cost = limit?.cost(call) ?? 0
        return contents.withLock { contents in
            contents.lastNumber += 1
            contents.counts.admitted += 1
            var admission: Int?
            let key = limit?.perKey == true ? call.key : nil
            if let limit, cost > 0 { admission = contents.meters[key, default: limit.meter].took(cost, at: now) }
            contents.open[contents.lastNumber] = Open(permit: permit, key: key, admission: admission)
            return contents.lastNumber
        }
    }

    /// Takes out the permit with this number, to be settled with `outcome`; nil when it was settled before.
    ///
    /// What was left to do after the last one is done.
    func take(_ number: UInt64, _ outcome: Outcome?) -> (permit: RawPermit?, afterLast: (@Sendable () -> Void)?) {
        contents.withLock { contents in
            guard let open = contents.open.removeValue(forKey: number) else {
                contents.twice.append(number)
                return (nil, nil)
            }
            if outcome == nil {
                contents.counts.voided += 1
                if let admission = open.admission { contents.meters[open.key]?.gaveBack(admission) }
            } else {
                contents.counts.settled += 1
            }
            return (open.permit, contents.open.isEmpty ? contents.afterLast.take() : nil)
        }
    }

    /// Remembers what to do when the last permit has come back; false when none is out.
    func afterLast(_ action: @escaping @Sendable () -> Void) -> Bool {
        contents.withLock { contents in
            if !contents.open.isEmpty { contents.afterLast = action }
            return !contents.open.isEmpty
        }
    }

    /// What was promised of permits and rate and not kept.
    var violations: [Violation] {
        contents.withLock { contents in
            let lost = contents.open.sorted { $0.key < $1.key }.map { number, open in
                let given = "permit \(number - firstNumber), given at \(open.permit.admitted)"
                return Violation(.permits, "\(name): \(given), was never settled")
            }
            let twice = contents.twice.map { number in
                Violation(.permits, "\(name): permit \(number - firstNumber) was settled again")
            }
            let rates = contents.meters.sorted { ($0.key ?? "") < ($1.key ?? "") }.compactMap { key, meter in
                meter.excess.map { Violation(.rate, "\(name)\(key.map { " for '\($0)'" } ?? ""): \($0)") }
            }
            return lost + twice + rates
        }
    }
}
