import FleetFaults

/// One fault that the fleet is to play, as `PUT /control/faults` takes it.
struct Fault: Codable, Sendable, Equatable {
    /// Which replicas misbehave.
    enum Target: Codable, Sendable, Equatable {
        case all
        /// The replica's number, counted from 1.
        case replica(Int)

        /// Reads a number or the word `all`.
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .replica(number)
            } else if let word = try? container.decode(String.self), word == "all" {
                self = .all
            } else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "neither a replica's number nor \"all\"")
            }
        }

        /// Writes the form that `init(from:)` reads.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .all: try container.encode("all")
            case .replica(let number): try container.encode(number)
            }
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case replica, fault, probability, count
        case durationMs = "duration_ms"
        case retryAfter = "retry_after"
    }

    let replica: Target
    let fault: FaultKind
    /// The share of calls that meet the fault, 0 to 1; the fleet takes 1 when it is missing.
    let probability: Double?
    /// How many calls meet the fault before it is over; all when it is missing.
    var count: Int?
    /// Milliseconds of simulated time, for the kinds that last.
    let durationMs: Double?
    /// The text of the `retry-after` header.
    let retryAfter: String?

    /// Checks the values that the types do not, prefixing each complaint with `path`.
    func validate(path: String) throws {
        if case .replica(let number) = replica, number < 1 {
            throw InputError("\(path).replica: \(number) is less than 1")
        }
        if let probability, !(0...1).contains(probability) {
            throw InputError("\(path).probability: \(probability) is not between 0 and 1")
        }
        if let count, count < 1 {
            throw InputError("\(path).count: \(count) is less than 1")
        }
        if let durationMs, !(durationMs.isFinite && durationMs >= 0) {
            throw InputError("\(path).duration_ms: \(durationMs) is less than 0")
        }
    }

    /// Says the fault in a few words, such as `error-503 (50%) on replica 3`.
    var summary: String {
        var text = fault.rawValue
        if let durationMs { text += " +\(Int(durationMs)) ms" }
        if let probability, probability < 1 { text += " (\(Int((probability * 100).rounded()))%)" }
        if let count { text += " (\(count) times)" }
        switch replica {
        case .all: return text + " on all replicas"
        case .replica(let number): return text + " on replica \(number)"
        }
    }
}
