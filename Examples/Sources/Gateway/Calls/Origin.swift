import CostLedger
import HTTPTypes

/// Who answered, or was asked last.
struct Origin: Sendable {
    let upstream: String?
    let model: String?
    /// Attempts so far.
    let attempts: Int
    /// What all attempts that have ended cost; nil: nothing is priced.
    var cost: Money?
    /// What the caller may still spend; nil: nothing of its own bounds it.
    var remaining: Money?
}

extension HTTPFields {
    /// These fields, and who answered at which attempt.
    func naming(_ origin: Origin) -> HTTPFields {
        var fields = self
        fields[.init("x-spillway-attempts")!] = "\(origin.attempts)"
        fields[.init("x-spillway-upstream")!] = origin.upstream
        fields[.init("x-spillway-model")!] = origin.model
        if let cost = origin.cost { fields[.init("x-spillway-cost")!] = cost.digits }
        if let remaining = origin.remaining { fields[.init("x-spillway-remaining")!] = remaining.digits }
        return fields
    }
}
