public import SpillwayCore

extension Redundancy {
    /// The availability of a part that fails and is repaired: uptime / (uptime + downtime), in the long run.
    ///
    /// - Parameters:
    ///   - meanTimeToFailure: Mean time from a repair to the next failure, above 0 and at most 10 years.
    ///   - meanTimeToRepair: Mean time from a failure until the part serves again, detection included; at most 10 years.
    /// - Throws: `ConfigurationError` when a time is out of range.
    public static func availability(
        meanTimeToFailure: Duration, meanTimeToRepair: Duration
    ) throws(ConfigurationError) -> Double {
        let check = Validation("Redundancy")
        try check.duration(meanTimeToFailure, "meanTimeToFailure", atLeast: .nanoseconds(1))
        try check.duration(meanTimeToRepair, "meanTimeToRepair")
        return meanTimeToFailure / (meanTimeToFailure + meanTimeToRepair)
    }
}
