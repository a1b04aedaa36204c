public import SpillwayCore

/// How many replicas a fleet should have: what each of them serves, how sure it must be, and what it may cost.
public struct ReplicaPlan: Sendable, Hashable {
    /// What one replica serves within the objective, a second, in the unit of the forecast: calls or tokens; above 0.
    ///
    /// Measure it at the load at which the slowest answers are just fast enough, not at the highest that it bears.
    public var perReplica: Double
    /// What a replica costs while it is deployed.
    public var price: ReplicaPrice
    /// The fewest and the most there may be, from 0 to 10,000; 1 to 100 by default.
    public var range: ClosedRange<Int>
    /// Replicas beyond those that the load needs; nil, the default: none.
    public var spares: Spares?
    /// For how long the highest advice holds before there may be fewer; 5 minutes by default, at most a day.
    ///
    /// As the stabilization window of Kubernetes's *Horizontal Pod Autoscaling*, which has the same default.
    public var stabilization: Duration
    /// The largest share of paid replica time that may be idle, from 0 to below 1, as expected now; nil, the default: any.
    ///
    /// It ends ``stabilization`` early. It never takes what the load, the spares or the ``range`` need.
    public var idleCap: Double?

    /// A plan.
    public init(
        perReplica: Double, price: ReplicaPrice, in range: ClosedRange<Int> = 1...100, spares: Spares? = nil,
        stabilization: Duration = .seconds(300), idleCap: Double? = nil
    ) {
        self.perReplica = perReplica
        self.price = price
        self.range = range
        self.spares = spares
        self.stabilization = stabilization
        self.idleCap = idleCap
    }

    /// How often enough replicas must be up, and what takes them down, as in ``Redundancy``.
    public struct Spares: Sendable, Hashable {
        /// The share of time for which enough replicas must be up, above 0 and below 1.
        public var attainment: Double
        /// The share of time for which one replica is up while its zone is, above 0 and at most 1.
        public var availability: Double
        /// Zones over which the replicas are spread evenly, from 1 to 100; 1 by default.
        public var zones: Int
        /// The share of time for which one zone is up, above 0 and at most 1; 1 by default.
        public var zoneAvailability: Double

        /// What the spares are for.
        public init(attainment: Double, availability: Double, zones: Int = 1, zoneAvailability: Double = 1) {
            self.attainment = attainment
            self.availability = availability
            self.zones = zones
            self.zoneAvailability = zoneAvailability
        }

        func redundancy(needed: Int) throws(ConfigurationError) -> Redundancy {
            try Redundancy(
                needed: needed, availability: availability, zones: zones, zoneAvailability: zoneAvailability)
        }
    }

    /// Refuses values that cannot work, such as an attainment that these zones never reach.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public func validate() throws(ConfigurationError) {
        let check = Validation("ReplicaPlan")
        try check.require(
            perReplica.isFinite && perReplica > 0, "perReplica", perReplica, "a number above 0")
        try check.count(range.lowerBound, "range.lowerBound", in: 0...Redundancy.mostReplicas)
        try check.count(range.upperBound, "range.upperBound", in: 1...Redundancy.mostReplicas)
        try check.require(
            stabilization >= .zero && stabilization <= .seconds(86_400), "stabilization", stabilization,
            "from 0 to a day")
        if let idleCap { try check.require(idleCap >= 0 && idleCap < 1, "idleCap", idleCap, "from 0 to below 1") }
        if let spares {
            let attained = try spares.redundancy(needed: 1).spares(for: spares.attainment)
            try check.require(
                attained != nil, "spares.attainment", spares.attainment, "what so many zones of this availability reach"
            )
        }
        try check.require(
            !price.nanoDollarsPerHour.multipliedReportingOverflow(by: Int64(range.upperBound)).overflow, "price",
            price.nanoDollarsPerHour, "such that all replicas cost at most \(Int64.max) nano-dollars an hour")
    }

    /// How many replicas a load needs; at most ``Redundancy/mostReplicas``.
    ///
    /// - Parameter perSecond: The load, in the unit of ``perReplica``; one that is no number, or below 0, counts as 0.
    public func needed(perSecond: Double) -> Int {
        let replicas = perSecond / perReplica
        guard replicas > 0 else { return 0 }
        // A load that fits exactly must not take a replica more because of the last bit.
        return Int(min((replicas * (1 - 1e-12)).rounded(.up), Double(Redundancy.mostReplicas)))
    }

    /// How many spares so many replicas take; nil when no number within ``Redundancy/mostReplicas`` is enough.
    func sparesNeeded(beside needed: Int) -> Int? {
        guard let spares, needed > 0 else { return 0 }
        guard let redundancy = try? spares.redundancy(needed: needed) else { return nil }
        return (try? redundancy.spares(for: spares.attainment)) ?? nil
    }

    /// The share of so many replicas' time that a load leaves idle.
    func idleShare(_ replicas: Int, perSecond: Double) -> Double {
        replicas > 0 ? max(0, 1 - perSecond / (Double(replicas) * perReplica)) : 0
    }
}
