public import SpillwayCore

/// What one replica costs while it is deployed, whether it works or waits.
public struct ReplicaPrice: Sendable, Hashable {
    /// Nano-dollars per replica and hour: 2 dollars are 2,000,000,000.
    public let nanoDollarsPerHour: Int64

    /// Hours in the month that prices are quoted for.
    public static let hoursPerMonth: Int64 = 730

    /// A price per replica and hour.
    ///
    /// - Throws: `ConfigurationError` when the price is negative.
    public init(nanoDollarsPerHour: Int64) throws(ConfigurationError) {
        try Validation("ReplicaPrice").require(
            nanoDollarsPerHour >= 0, "nanoDollarsPerHour", nanoDollarsPerHour, "0 or more")
        self.nanoDollarsPerHour = nanoDollarsPerHour
    }

    /// What `replicas` cost for a month of 730 hours, in nano-dollars.
    ///
    /// - Throws: `ConfigurationError` when `replicas` is negative or the amount exceeds `Int64`.
    public func monthlyNanoDollars(replicas: Int) throws(ConfigurationError) -> Int64 {
        let check = Validation("ReplicaPrice")
        try check.require(replicas >= 0, "replicas", replicas, "0 or more")
        let month = nanoDollarsPerHour.multipliedReportingOverflow(by: Self.hoursPerMonth)
        let all = month.partialValue.multipliedReportingOverflow(by: Int64(replicas))
        try check.require(
            !month.overflow && !all.overflow, "replicas", replicas,
            "few enough that a month at \(nanoDollarsPerHour) nano-dollars an hour is at most \(Int64.max)")
        return all.partialValue
    }
}
