public import SpillwayCore

/// What attempts have cost and used together.
public struct Spend: Sendable, Hashable {
    /// Settled attempts whose cost the provider's figures give.
    public internal(set) var provider = Money.zero
    /// Settled attempts whose cost was counted here.
    public internal(set) var metered = Money.zero
    /// Settled attempts whose cost is an estimate.
    public internal(set) var estimated = Money.zero
    /// The part of all these that was above what had been held.
    public internal(set) var overage = Money.zero
    /// What was held and given back, for attempts that never ran.
    public internal(set) var voided = Money.zero
    /// What is in suspense and was not resolved; not in ``cost``.
    public internal(set) var suspended = Money.zero
    /// What is held for attempts under way; not in ``cost``.
    public internal(set) var held = Money.zero
    /// What answers from a cache would have cost; not in ``cost``.
    public internal(set) var saved = Money.zero
    /// How many answers came from a cache; neither attempts nor tokens count them.
    public internal(set) var savedAnswers = 0
    /// How many attempts were settled.
    public internal(set) var attempts = 0
    /// How many operations these attempts belong to.
    public internal(set) var operations = 0
    /// Units used by settled attempts that said so, one count for each meter by its raw value.
    public internal(set) var counts = SIMD16<Int64>()
    /// What the attempts with tokens cost.
    public internal(set) var tokenCost = Money.zero
    /// Carbon dioxide, in millionths of a gram, where it is known.
    public internal(set) var micrograms: Int64 = 0
    /// Settled attempts whose carbon dioxide is not known.
    public internal(set) var attemptsWithoutFootprint = 0

    /// What all settled attempts cost.
    public var cost: Money { provider + metered + estimated }
    /// Units of `meter`.
    public subscript(meter: Usage.Meter) -> Int64 { counts[meter.rawValue] }
    /// All tokens.
    public var tokens: Int64 {
        Usage.Meter.allCases.reduce(0) { $1.isPrompt || $1.isAnswer ? $0 &+ self[$1] : $0 }
    }
    /// What a thousand tokens cost on average, of attempts that have any; nil when there is none.
    public var perThousandTokens: Money? { tokens > 0 ? tokenCost.times(1_000, over: tokens) : nil }

    /// Adds a hold that is open, or takes it off.
    mutating func count(_ hold: OpenHolds.Hold, _ sign: Int64) {
        let amount = Money(nanodollars: sign * hold.amount.nanodollars)
        if hold.isSuspended { suspended += amount } else { held += amount }
    }

    mutating func settle(_ posting: Posting) {
        switch posting.source {
        case .provider: provider += posting.cost
        case .metered: metered += posting.cost
        case .estimated: estimated += posting.cost
        }
        overage += posting.overage
        attempts += 1
        guard let usage = posting.usage else { return }
        counts &+= usage.counts
        if usage.tokens > 0 { tokenCost += posting.cost }
    }
}
