public import SpillwayCore
internal import Synchronization

/// A ladder of tiers, from the best answer to the least that is acceptable: a call goes down it on purpose, with a reason for each step.
///
/// A call begins at the first tier. It passes over a tier that is not to be had (its gates refuse, too little time is left, it is too busy,
/// not good enough, too dear) at no cost, and goes on at another model, or further down, when an attempt fails. Attempts at further models
/// are paid for out of the budget; tiers without a model are free. What a failure means depends on its cause: a prompt that is too long
/// goes to a larger window, used-up credit to another provider, a filtered or a wrong request back to the caller. Tiers that fail for all
/// calls are left for a while; see ``Hysteresis``.
///
/// A driver: put it into a `Policy` in place of targets, or use ``run(_:deadline:time:classifier:judge:_:)``.
public final class ModelRouter: Sendable {
    /// What errors, reports and metrics call the router.
    public let name: String
    /// The tiers, the best first.
    public let tiers: [Tier]
    /// What pays for attempts at models beyond the first of a call.
    public let budget: any AttemptBudget
    /// What becomes of an answer that the caller's check refused.
    public let whenUnacceptable: WhenUnacceptable
    package let places: [Place]
    let ratings: Ratings
    let ladder: LadderState
    let names: [GateName]
    /// Of each tier, where to go on after what.
    let fallbacks: [[Outcome.Cause: Int]]
    let rungs: Rungs
    /// Whether somebody wants to know what attempts use: a gate, or a rollout that compares costs.
    package let isMetered: Bool
    /// Whether some tier has limits of its own on the time of an attempt.
    package let hasTimeouts: Bool
    let turn = Atomic<Int>(0)
    /// ``budget`` as a chain of its own.
    let chain: BudgetChain

    /// What becomes of an answer that the caller's check refused.
    public enum WhenUnacceptable: Sendable, Hashable {
        /// A model of a higher quality is asked, of whichever tier; where there is none, the call goes further down.
        case escalate
        /// The call goes further down.
        case degrade
        /// The call ends with it.
        case end
    }

    /// One place to send an attempt to: a model in a tier, or a tier without models.
    package struct Place: Sendable {
        package let name: String
        package let tier: Int
        package let gates: GateRow
        package let model: Model?
    }

    /// The most places of one ladder, because those that failed are kept as bits of a word.
    public static let mostPlaces = 64

    /// A ladder.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - budget: What pays for attempts at models beyond the first of a call; the same as that of the policy's retry or hedge.
    ///   - hysteresis: When a tier is left for all calls, and when it is asked again.
    ///   - whenUnacceptable: What becomes of an answer that the caller's check refused; a better model is asked by default.
    ///   - observer: Told when the ladder leaves a tier for all calls or comes back, in order and outside of every lock; nobody by default.
    ///   - tiers: The best first, of different names; at most 64 models and tiers without models in all.
    /// - Throws: `ConfigurationError`: for a fallback to a tier that there is not, and for fallbacks that lead in a circle, too.
    public init(
        _ name: String, budget: any AttemptBudget, hysteresis: Hysteresis = Hysteresis(),
        whenUnacceptable: WhenUnacceptable = .escalate, observer: (any Observer)? = nil, tiers: [Tier]
    ) throws(ConfigurationError) {
        let check = Validation("ModelRouter")
        try check.name(name)
        try hysteresis.validate()
        try check.require(!tiers.isEmpty, "tiers", "empty", "at least one tier")
        for tier in tiers { try tier.validate() }
        self.name = name
        self.tiers = tiers
        self.budget = budget
        self.whenUnacceptable = whenUnacceptable
        fallbacks = try Self.fallbacks(tiers)
        places = try Self.places(tiers)
        ratings = Ratings(places)
        names = tiers.map { GateName(registering: $0.name) }
        rungs = Rungs(tiers, names, places)
        isMetered =
            places.contains { $0.gates.isMetered }
            || tiers.contains { if case .rollout = $0.choice { true } else { false } }
        hasTimeouts = tiers.contains { $0.timeout != nil }
        chain = BudgetChain.none.adding(budget)
        let spare = tiers.indices.reduce(into: UInt64(0)) { if tiers[$1].isSpare { $0 |= 1 << UInt64($1) } }
        ladder = LadderState(name, tiers.map(\.name), spare: spare, hysteresis, observer)
    }

    deinit { for name in names { name.release() } }

    /// The tier at which calls begin now: the first that the ladder has not left.
    public var mode: ServiceMode { rungs.rows[ladder.level].mode.because(changes.last?.reason) }

    /// When and why the ladder left tiers for all calls and came back: the last 64 changes, the oldest first.
    public var changes: [ModeChange] { ladder.changes }

    /// The rules by which it leaves tiers.
    public var hysteresis: Hysteresis { ladder.hysteresis }

    /// Changes the rules by which it leaves tiers, and keeps what it knows.
    ///
    /// - Throws: `ConfigurationError`; then the old rules stay.
    public func update(_ hysteresis: Hysteresis) throws(ConfigurationError) {
        try hysteresis.validate()
        ladder.update(hysteresis)
    }

    /// `call` as it is made in the tier of `place`: with no longer an answer than that gives.
    package func call(_ call: Call, at place: Int) -> Call {
        let most = rungs.rows[tier(of: place)].maxOutput
        guard most != 0, call.tokens.maxOutput > most else { return call }
        var shorter = call
        shorter.tokens = .estimate(input: Int(call.tokens.input), maxOutput: Int(most))
        return shorter
    }

    func tier(of place: Int) -> Int { ratings.rows[place].tier }

    /// Limits on the time of an attempt at `place`; nil: those of the policy.
    package func timeout(at place: Int) -> AttemptTimeout? { hasTimeouts ? tiers[tier(of: place)].timeout : nil }
}
