public import SpillwayCore

extension Redundancy {
    /// The smallest number of spares that reaches an attainment.
    ///
    /// - Parameter target: The attainment to reach, above 0 and below 1.
    /// - Returns: `nil` when ``mostReplicas`` do not reach it: with zones, no spares help against the loss of all of them.
    /// - Throws: `ConfigurationError` when `target` is out of range.
    public func spares(for target: Double) throws(ConfigurationError) -> Int? {
        try Validation("Redundancy").require(target > 0 && target < 1, "target", target, "above 0 and below 1")
        return try spares(allowing: 1 - target)
    }

    /// The smallest number of spares for an attainment of so many nines: 3 is 99.9 %.
    ///
    /// - Parameter nines: From 1 to 15.
    /// - Returns: `nil` when ``mostReplicas`` do not reach it.
    /// - Throws: `ConfigurationError` when `nines` is out of range.
    public func spares(nines: Int) throws(ConfigurationError) -> Int? {
        try Validation("Redundancy").count(nines, "nines", in: 1...15)
        return try spares(allowing: 1 / (0..<nines).reduce(1.0) { power, _ in power * 10 })
    }

    /// What each nine costs, from the first to `last`; ends before the first that cannot be reached.
    ///
    /// - Parameters:
    ///   - last: The number of nines of the last entry, from 1 to 15.
    ///   - price: What one spare costs.
    /// - Throws: `ConfigurationError` when `last` is out of range, or an amount exceeds `Int64`.
    public func nines(through last: Int, price: ReplicaPrice) throws(ConfigurationError) -> [Nine] {
        try Validation("Redundancy").count(last, "nines", in: 1...15)
        var found: [Nine] = []
        for nines in 1...last {
            guard let spares = try spares(nines: nines) else { break }
            found.append(
                Nine(
                    nines: nines, spares: spares, added: spares - (found.last?.spares ?? 0),
                    monthlyNanoDollars: try price.monthlyNanoDollars(replicas: spares)))
        }
        return found
    }

    /// One step of reliability, and what it takes.
    public struct Nine: Sendable, Hashable, CustomStringConvertible {
        /// How many nines the attainment has: 3 is 99.9 %.
        public let nines: Int
        /// Spares that it takes, in all.
        public let spares: Int
        /// Spares that it takes beyond the nine before it.
        public let added: Int
        /// What all the ``spares`` cost a month of 730 hours, in nano-dollars.
        public let monthlyNanoDollars: Int64

        /// One line: the nines, the spares, and what they cost.
        public var description: String {
            let cents = monthlyNanoDollars / 10_000_000, rest = cents % 100
            return
                "\(nines) nines: \(spares) spares (\(added) more), $\(cents / 100).\(rest < 10 ? "0" : "")\(rest) a month"
        }
    }

    /// Doubles the spares until they suffice, then halves the gap: more spares are never worse.
    private func spares(allowing allowed: Double) throws(ConfigurationError) -> Int? {
        let most = Self.mostReplicas - needed
        // All zones down at once: what every plan falls short by.
        let floor = (0..<zones).reduce(1.0) { product, _ in product * (1 - zoneAvailability) }
        guard floor <= allowed else { return nil }
        var (tooFew, enough) = (-1, 0)
        while try shortfall(spares: enough) > allowed {
            guard enough < most else { return nil }
            (tooFew, enough) = (enough, min(enough * 2 + 1, most))
        }
        while enough - tooFew > 1 {
            let middle = (tooFew + enough) / 2
            if try shortfall(spares: middle) > allowed { tooFew = middle } else { enough = middle }
        }
        return enough
    }
}
