public import SpillwayCore

/// A replica that is wanted in a fleet.
public struct Member: Sendable, Hashable {
    /// What reports call it, 1 to 200 bytes without blanks; no two of a fleet share one.
    public let name: String
    /// Where it is reached, 1 to 500 bytes without blanks, such as `10.0.3.7:8000`; only the adapter reads it.
    public let address: String
    /// Its zone; nil: it is not known.
    public var zone: String?
    /// Its region; nil: it is not known.
    public var region: String?
    /// The model that it serves; nil: it is not known.
    public var model: String?
    /// The model's version; nil: it is not known.
    public var version: ModelVersion?
    /// Tokens whose keys and values its memory holds, 1 to a billion; nil: it is not known.
    public var kvTokens: Int?
    /// Tokens of prompt and answer together that it takes, 1 to a billion; nil: it is not known.
    public var window: Int?
    /// What an hour of it costs, 0 to a billion, in the unit of your choice, the same for all of a fleet: dollars, or grams of CO₂; nil: it
    /// is not known.
    public var costPerHour: Double?
    /// By what its predicted times are divided, above 0 and at most 1,000; 1 by default.
    ///
    /// It is no share of the calls: while others have nothing to do one with less than they gets none.
    public var weight: Double
    /// What else is known of it, by name; up to 32.
    public var labels: [String: String]

    /// A replica.
    ///
    /// - Parameters:
    ///   - name: What it is known by, in the whole list.
    ///   - address: Where it is.
    ///   - zone: Its zone.
    ///   - region: Its region.
    ///   - model: What it serves.
    ///   - version: Which version of it.
    ///   - weight: Predicted times are divided by it; 1 by default.
    ///   - labels: What else is known of it, by name.
    public init(
        _ name: String, address: String, zone: String? = nil, region: String? = nil, model: String? = nil,
        version: ModelVersion? = nil, weight: Double = 1, labels: [String: String] = [:]
    ) {
        self.name = name
        self.address = address
        self.zone = zone
        self.region = region
        self.model = model
        self.version = version
        self.weight = weight
        self.labels = labels
    }

    /// Refuses values that cannot work.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public func validate() throws(ConfigurationError) {
        let check = Validation("Member")
        try check.name(name)
        try check.require(!name.contains(where: \.isWhitespace), "name", "'\(name)'", "without blanks")
        try check.require(
            (1...500).contains(address.utf8.count) && !address.contains(where: \.isWhitespace), "address",
            "'\(address)'", "1 to 500 bytes long, without blanks")
        for (value, field) in [(zone, "zone"), (region, "region"), (model, "model")] {
            guard let value else { continue }
            try check.require((1...200).contains(value.utf8.count), field, "'\(value)'", "1 to 200 bytes long")
        }
        try check.count(kvTokens ?? 1, "kvTokens", in: 1...1_000_000_000)
        try check.count(window ?? 1, "window", in: 1...1_000_000_000)
        if let costPerHour { try check.number(costPerHour, "costPerHour", in: 0...1e9) }
        try check.require(weight > 0 && weight <= 1_000, "weight", weight, "above 0 and at most 1000")
        try check.require(labels.count <= 32, "labels", labels.count, "at most 32")
        for (name, value) in labels {
            try check.require(
                (1...200).contains(name.utf8.count) && value.utf8.count <= 200, "labels", "'\(name)=\(value)'",
                "a name of 1 to 200 bytes and a value of at most 200")
        }
    }
}
