import Spillway

extension Configuration {
    /// What says how many replicas a fleet should have.
    struct Capacity: Sendable {
        var demand = DemandForecast.Configuration()
        /// What one replica carries, and how sure it must be that enough of them are up.
        let plan: ReplicaPlan
        /// How long it takes from the order of a replica until it is ready.
        let start: Duration
        /// The share of cases in which the demand is to be as it was foreseen.
        var coverage = 0.9
    }
}

extension Configuration.Capacity {
    /// The most replicas that a fleet may have.
    private static let most = Fleet.capacity
    /// The most buckets that may be foreseen, and how many more than a start takes: the one that is not over, and one that was quiet.
    private static let horizon = 288, beyond = 2

    /// Reads the field `capacity`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "callsPerSecond", "startSeconds", "coverage", "fewest", "most", "spares", "stabilizationSeconds", "idleCap",
            "dollarsPerHour", "bucketSeconds", "seasonSeconds")
        let fewest = try fields.count("fewest", in: 1...Self.most) ?? 1
        let most = try fields.count("most", in: 1...Self.most) ?? max(fewest, 100)
        guard fewest <= most else { throw field.fault("fewest is more than most") }
        let price = try fields.dollars("dollarsPerHour") ?? .zero
        var plan = ReplicaPlan(
            perReplica: try fields.required("callsPerSecond").number(in: 0.000_001...1_000_000),
            price: try field.blame { () throws(ConfigurationError) in
                try ReplicaPrice(nanoDollarsPerHour: price.nanodollars)
            }, in: fewest...most)
        plan.spares = try fields["spares"].map { try ReplicaPlan.Spares($0) }
        plan.stabilization = try fields.seconds("stabilizationSeconds", atLeast: 0) ?? plan.stabilization
        plan.idleCap = try fields.number("idleCap", in: 0...0.99)
        let made = plan
        try (fields["spares"] ?? field).blame { () throws(ConfigurationError) in try made.validate() }
        self.plan = plan

        let length = try fields.required("startSeconds")
        start = .seconds(try length.number(in: 0...86_400))
        // With no more, the errors that are remembered are enough to say so.
        coverage = try fields.number("coverage", in: 0.5...0.99) ?? coverage
        demand.bucket = try fields.seconds("bucketSeconds", atLeast: 1) ?? demand.bucket
        let buckets = (start / demand.bucket).rounded(.up)
        guard buckets + Double(Self.beyond) <= Double(Self.horizon) else {
            throw length.fault(
                "is more than \(Self.horizon - Self.beyond) buckets of \(demand.bucket): nobody can see so far ahead")
        }
        demand.horizon = Int(buckets) + Self.beyond
        demand.season = try fields["seasonSeconds"].map { own in
            let season = Duration.seconds(try own.number(in: 2...31_536_000)) / demand.bucket
            guard season == season.rounded(), (2...10_080).contains(season) else {
                throw own.refuse("2 to 10080 whole buckets of \(demand.bucket)")
            }
            return Int(season)
        }
        let forecast = demand
        try field.blame { () throws(ConfigurationError) in try forecast.validate() }
    }
}

extension ReplicaPlan.Spares {
    /// Reads the field `spares`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("attainment", "availability", "zones", "zoneAvailability")
        self.init(
            attainment: try fields.required("attainment").number(in: 0...1),
            availability: try fields.required("availability").number(in: 0...1))
        zones = try fields.count("zones", in: 1...100) ?? zones
        zoneAvailability = try fields.number("zoneAvailability", in: 0...1) ?? zoneAvailability
    }
}

extension Configuration.Model {
    /// The upstream to which each of its calls comes first; nil: it depends on the call, or one without replicas or models is first.
    var entrance: String? {
        let first = ladder.map { $0.tiers[0].models.map(\.place) } ?? targets
        let isInOrder =
            if let tier = ladder?.tiers[0] {
                if case .models(.inOrder, _) = tier.kind { true } else { false }
            } else {
                order == .ladder
            }
        return isInOrder || Set(first.map(\.upstream)).count == 1 ? first.first?.upstream : nil
    }
}
