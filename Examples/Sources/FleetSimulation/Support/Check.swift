import ArgumentParser

/// Refuses options that make no sense.
enum Check {
    static func that(_ holds: Bool, _ option: String, _ value: some Any, _ expected: String) throws {
        guard holds else { throw ValidationError("\(option) is \(value), but must be \(expected)") }
    }

    static func probability(_ value: Double, _ option: String) throws {
        try that(value >= 1e-6 && value <= 1, option, value, "from 0.000001 to 1")
    }
}
