import Foundation

/// What goes wrong when during a run, in trace seconds.
struct FaultScript: Codable, Sendable, Equatable {
    /// From `at` on, exactly `faults` are in force.
    struct Step: Codable, Sendable, Equatable {
        let at: Double
        let faults: [Fault]
    }

    /// The window that the middle phase covers; the phases around it follow from it.
    struct Phases: Codable, Sendable, Equatable {
        let during: [Double]
    }

    let phases: Phases
    let steps: [Step]

    /// When the phase `during` begins, in trace seconds.
    var windowStart: Double { phases.during[0] }
    /// When the phase `during` ends, in trace seconds.
    var windowEnd: Double { phases.during[1] }

    /// Reads and checks a script.
    ///
    /// Throws `InputError` naming the field and the value.
    static func parse(_ data: Data) throws -> FaultScript {
        let script = try JSONDecoder().decode(FaultScript.self, from: data)
        try script.validate()
        // A misspelt key would otherwise switch a fault's setting off without a word.
        try rejectUnknownKeys(in: JSONSerialization.jsonObject(with: data))
        return script
    }

    /// The phase of something that arrived `time` trace seconds into the run.
    func phase(at time: Double) -> Phase {
        if time < windowStart { return .before }
        return time < windowEnd ? .during : .after
    }

    /// Checks the values that the types do not.
    private func validate() throws {
        let window = phases.during
        guard window.count == 2, window[0] >= 0, window[0] < window[1] else {
            throw InputError("phases.during: \(window) is not [start, end] with 0 ≤ start < end")
        }
        for (index, step) in steps.enumerated() {
            guard step.at >= 0 else { throw InputError("steps[\(index)].at: \(step.at) is less than 0") }
            if index > 0, step.at <= steps[index - 1].at {
                throw InputError("steps[\(index)].at: \(step.at) is not later than the step before it")
            }
            for (number, fault) in step.faults.enumerated() {
                try fault.validate(path: "steps[\(index)].faults[\(number)]")
            }
        }
    }

    /// Throws for a key that no part of a script has; `root` has the script's shape already.
    private static func rejectUnknownKeys(in root: Any) throws {
        func check(_ value: Any, _ path: String, _ known: [String]) throws -> [String: Any] {
            let object = value as? [String: Any] ?? [:]
            if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
                throw InputError("\(path)\(key): unknown field; known are \(known.joined(separator: ", "))")
            }
            return object
        }
        let script = try check(root, "", ["phases", "steps"])
        _ = try check(script["phases"] ?? [:], "phases.", ["during"])
        for (index, value) in (script["steps"] as? [Any] ?? []).enumerated() {
            let step = try check(value, "steps[\(index)].", ["at", "faults"])
            for (number, fault) in (step["faults"] as? [Any] ?? []).enumerated() {
                _ = try check(
                    fault, "steps[\(index)].faults[\(number)].", Fault.CodingKeys.allCases.map(\.rawValue))
            }
        }
    }
}
