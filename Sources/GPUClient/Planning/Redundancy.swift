public import SpillwayCore

/// How many spare replicas keep enough of them up: N needed, N + k deployed.
///
/// A service needs ``needed`` healthy replicas at its peak. With M = N + k identical replicas that are up independently
/// with probability a, at least N are up with probability
///
///     A(N, k) = Σ (M choose j) aʲ (1 − a)ᴹ⁻ʲ   for j = N … M
///
/// which is the reliability of a *k-out-of-n:G* system (Barlow and Proschan, *Statistical Theory of Reliability and Life
/// Testing*, 1975; Kuo and Zuo, *Optimal Reliability Modeling*, 2003, chapter 7). Zones correlate failures: the replicas
/// of a zone are down together while the zone is, and independent of each other while it is not. The replicas are spread
/// as evenly as they go, and the planner adds up the mixture over all zones.
///
/// What no number of spares covers: a bad model build, a bad configuration, a lost region, and more load than planned.
public struct Redundancy: Sendable, Hashable {
    /// Replicas that must be up, at least 1.
    public let needed: Int
    /// The share of time for which one replica is up while its zone is, above 0 and at most 1.
    public let availability: Double
    /// Zones over which the replicas are spread evenly; 1 unless said otherwise.
    public let zones: Int
    /// The share of time for which one zone is up, above 0 and at most 1; 1 (never down) unless said otherwise.
    public let zoneAvailability: Double

    /// The most replicas that are planned with, spares included.
    public static let mostReplicas = 10_000

    /// A plan for `needed` replicas of one `availability`.
    ///
    /// - Throws: `ConfigurationError` unless `needed` is from 1 to ``mostReplicas``, `zones` from 1 to 100, and both
    ///   availabilities are above 0 and at most 1.
    public init(
        needed: Int, availability: Double, zones: Int = 1, zoneAvailability: Double = 1
    ) throws(ConfigurationError) {
        let check = Validation("Redundancy")
        try check.count(needed, "needed", in: 1...Self.mostReplicas)
        try check.count(zones, "zones", in: 1...100)
        for (value, field) in [(availability, "availability"), (zoneAvailability, "zoneAvailability")] {
            try check.require(value > 0 && value <= 1, field, value, "above 0 and at most 1")
        }
        self.needed = needed
        self.availability = availability
        self.zones = zones
        self.zoneAvailability = zoneAvailability
    }

    /// The share of time for which at least ``needed`` replicas are up: A(N, k).
    ///
    /// - Parameter spares: k, replicas beyond ``needed``.
    /// - Throws: `ConfigurationError` when `spares` is negative or leads beyond ``mostReplicas``.
    public func attainment(spares: Int) throws(ConfigurationError) -> Double {
        try counts(spares).atLeast(needed)
    }

    /// The share of time for which too few replicas are up: 1 − A(N, k), summed as such.
    ///
    /// Accurate where 1 minus the attainment has lost its digits, as with seven nines.
    ///
    /// - Parameter spares: k, replicas beyond ``needed``.
    /// - Throws: `ConfigurationError` when `spares` is negative or leads beyond ``mostReplicas``.
    public func shortfall(spares: Int) throws(ConfigurationError) -> Double {
        try counts(spares).below(needed)
    }

    /// How many replicas are up, with `spares` beyond those needed.
    private func counts(_ spares: Int) throws(ConfigurationError) -> UpCount {
        try Validation("Redundancy").count(spares, "spares", in: 0...(Self.mostReplicas - needed))
        let (each, more) = (needed + spares).quotientAndRemainder(dividingBy: zones)
        let small = UpCount(replicas: each, availability: availability, zoneAvailability: zoneAvailability)
        let large = UpCount(replicas: each + 1, availability: availability, zoneAvailability: zoneAvailability)
        return (1..<zones).reduce(more > 0 ? large : small) { sum, zone in sum.adding(zone < more ? large : small) }
    }
}
