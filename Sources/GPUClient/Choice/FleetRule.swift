/// By what rule a fleet chooses a replica.
///
/// All but ``predicted`` are what others do, for comparison, as they publish it.
public enum FleetRule: String, Sendable, Hashable, CaseIterable {
    /// The replica whose first token is predicted to come first, where work that is done twice counts against it; the default.
    case predicted
    /// One after the other.
    case roundRobin = "round_robin"
    /// Any.
    case random
    /// The one with the fewest calls under way.
    case leastOutstanding = "least_outstanding"
    /// The one of two taken at random that has fewer calls under way (Mitzenmacher, 2001).
    case powerOfTwo = "power_of_two"
    /// The highest sum of 2 × queue, 2 × KV and 3 × prefix, as llm-d's endpoint picker weighs them.
    case llmd = "llm_d"
    /// Longest matching prefix while loads are balanced, else the shortest queue: `cache_aware` of SGLang's gateway.
    case cacheAware = "cache_aware"
    /// The fewest blocks to compute and to hold: the cost of NVIDIA Dynamo's router.
    case dynamo
}
