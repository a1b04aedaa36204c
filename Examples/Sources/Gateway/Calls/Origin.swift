import CostLedger
import HTTPTypes
import Spillway

/// Who answered, or was asked last.
struct Origin: Sendable {
    let upstream: String?
    /// The replica of the upstream; nil: it has none.
    var replica: String?
    let model: String?
    /// Attempts so far.
    let attempts: Int
    /// The tier of the ladder, where there is one.
    var mode: ServiceMode?
    /// Tiers that were passed over or failed.
    var steps: [ServiceStep] = []
    /// How the answer was kept, and how old it is; nil: it was made for this call.
    var kept: (origin: CacheOrigin, age: Duration)?
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
        fields[.init("x-spillway-replica")!] = origin.replica
        fields[.init("x-spillway-model")!] = origin.model
        if let mode = origin.mode {
            fields[.init("x-spillway-tier")!] = mode.tier
            fields[.init("x-spillway-level")!] = "\(mode.level)"
        }
        if !origin.steps.isEmpty {
            fields[.init("x-spillway-reasons")!] = origin.steps.map(\.description).joined(separator: ", ")
        }
        if let (kept, age) = origin.kept {
            fields[.init("x-spillway-cache")!] = "\(kept)"
            fields[.age] = "\(age.components.seconds)"
        }
        if let cost = origin.cost { fields[.init("x-spillway-cost")!] = cost.digits }
        if let remaining = origin.remaining { fields[.init("x-spillway-remaining")!] = remaining.digits }
        return fields
    }
}
