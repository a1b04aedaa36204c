import FleetFaults

/// One active fault: what fails, where, how often.
struct FaultRule: Sendable, Equatable {
    /// The replica, from 1; `nil` means all.
    var replica: Int?
    var kind: FaultKind
    var probability = 1.0
    /// How many calls it strikes before it is over; `nil` means all.
    var count: Int?
    /// Simulated milliseconds, for the kinds that last; between two tokens, for a dribble.
    var durationMilliseconds = 500.0
    /// The text of the `retry-after` header, for the kinds that send one.
    var retryAfter: String?

    private static let keys: Set<String> = [
        "replica", "fault", "probability", "count", "duration_ms", "retry_after",
    ]

    /// Reads the array that `PUT /control/faults` takes, throwing an ``APIError`` that names the first bad field.
    static func list(from value: JSONValue, replicas: Int) throws -> [FaultRule] {
        guard case .array(let items) = value else {
            throw APIError.invalid("faults", value, "must be an array of faults")
        }
        return try items.enumerated().map { index, item in
            try FaultRule(JSONFields(item, path: "faults[\(index)]"), replicas: replicas)
        }
    }

    /// The rule as JSON, every field written out.
    var json: JSONValue {
        [
            "replica": replica.map { .number(Double($0)) } ?? "all",
            "fault": .string(kind.rawValue),
            "probability": .number(probability),
            "count": count.map { .count($0) } ?? .null,
            "duration_ms": .number(durationMilliseconds),
            "retry_after": retryAfter.map { .string($0) } ?? .null,
        ]
    }
}

extension FaultRule {
    private init(_ fields: JSONFields, replicas: Int) throws {
        // A misspelt optional field would otherwise pass for its default.
        if let unknown = fields.values.keys.filter({ !Self.keys.contains($0) }).min() {
            throw fields.invalid(unknown, "is not a field of a fault (\(Self.keys.sorted().joined(separator: ", ")))")
        }
        let name = try fields.required("fault", fields.string("fault"))
        guard let kind = FaultKind(rawValue: name) else {
            let known = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.invalid("fault", "is not a fault kind (\(known))")
        }
        self.init(replica: try Self.replica(fields, replicas: replicas), kind: kind)
        if let probability = try fields.number("probability") {
            guard (0...1).contains(probability) else {
                throw fields.invalid("probability", "must be between 0 and 1")
            }
            self.probability = probability
        }
        count = try fields.positive("count")
        if let duration = try fields.number("duration_ms") {
            guard duration >= 0 else { throw fields.invalid("duration_ms", "must be 0 or more") }
            durationMilliseconds = duration
        }
        retryAfter = try fields.string("retry_after")
        if let retryAfter, !retryAfter.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) {
            throw fields.invalid("retry_after", "must be printable ASCII")
        }
    }

    private static func replica(_ fields: JSONFields, replicas: Int) throws -> Int? {
        switch fields.values["replica"] {
        case nil: throw fields.missing("replica")
        case .string("all"): return nil
        case .number(let number): if let index = Int(exactly: number), (1...replicas).contains(index) { return index }
        default: break
        }
        throw fields.invalid("replica", "must be \"all\" or a number from 1 to \(replicas)")
    }
}
