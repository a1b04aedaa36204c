/// How many replicas there should be, and why: a value to show as a metric or to hand to an autoscaler.
public struct ReplicaAdvice: Sendable, Hashable {
    /// How many there should be.
    public let replicas: Int
    /// What settled the number.
    public let reason: Reason
    /// How many the upper end of the forecast needs; nil without a forecast.
    public let needed: Int?
    /// How many spares beside them; nil without a forecast, or when no number is enough.
    public let spares: Int?
    /// What it goes by.
    public let demand: DemandForecast.Forecast?
    /// The share of the replicas' time that is idle if the demand is as expected; nil without a forecast.
    public let idleShare: Double?
    /// What so many replicas cost, in nano-dollars an hour.
    public let nanoDollarsPerHour: Int64

    /// Whether it is as many as the load and the spares need; false without a forecast.
    public var isEnough: Bool {
        guard let needed, let spares else { return false }
        return replicas >= needed + spares
    }

    /// What settled the number.
    public struct Reason: Sendable, Hashable, CustomStringConvertible {
        private enum Code: String { case demand, fewest, most, stabilizing, idleCap = "idle_cap", unknown }
        private let code: Code

        /// The demand at the upper end of the forecast, and the spares.
        public static let demand = Reason(code: .demand)
        /// Less would do, but so many are the fewest that may be.
        public static let fewest = Reason(code: .fewest)
        /// More would be needed, but so many are the most that may be.
        public static let most = Reason(code: .most)
        /// Less would do by now, but not for long enough.
        public static let stabilizing = Reason(code: .stabilizing)
        /// Less does by now, and to wait longer would leave too large a share idle.
        public static let idleCap = Reason(code: .idleCap)
        /// There is no forecast: as many as there are.
        public static let unknown = Reason(code: .unknown)

        /// The reason as a metric label, such as `idle_cap`.
        public var description: String { code.rawValue }
    }
}
