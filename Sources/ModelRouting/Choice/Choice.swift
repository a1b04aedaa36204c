public import SpillwayCore

/// How a tier chooses one of its models.
///
/// Of those that the call may be sent to: good enough, large enough, not above the value of the answer, not failed in this call.
/// Models that cool down are chosen last in every rule.
public enum Choice: Sendable {
    /// The first that admits, in the order given.
    case inOrder
    /// Each call begins with the next one.
    case rotating
    /// At random, by `Model.Configuration.weight`.
    case weighted(RandomSource = .system)
    /// The one with the shortest latency of late; one that is not known yet first.
    case leastLatency
    /// The one with the fewest calls under way for its weight.
    case leastLoad
    /// The cheapest whose latency of late is within the goal; where none is, the fastest.
    ///
    /// JellyBean's rule: the cheapest that meets a quality floor (`Call.Needs.quality`) and a latency goal (Wu et al., *Serving and
    /// Optimizing Machine Learning Workflows on Heterogeneous Infrastructures*, VLDB 2022).
    case cheapest(within: Duration = .seconds(3_600))
    /// The cheapest whose quality is no less than the difficulty of the call (`Call.Needs.difficulty`); where none is, the best.
    case byDifficulty
    /// As the rollout says: the first of the tier's two models is the baseline, the second the canary.
    ///
    /// Where the one is not to be had the other is asked. How attempts end, their time to the first content (the whole time where an
    /// answer does not stream) and, for models that are priced by tokens, their cost are recorded; the cost only in a
    /// `Policy`. A hedge that wins cuts off what it stands beside, which is not recorded: a slow canary beside hedges goes unseen.
    case rollout(Rollout)

    func validate(_ count: Int) throws(ConfigurationError) {
        switch self {
        case .cheapest(let goal): try Validation("Choice").duration(goal, "within")
        case .rollout:
            try Validation("Choice").require(
                count == 2, "models", "\(count) in a rollout", "2: the baseline and the canary")
        default: break
        }
    }
}
