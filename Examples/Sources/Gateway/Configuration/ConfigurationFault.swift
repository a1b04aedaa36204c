/// What is wrong in a configuration file, and where.
struct ConfigurationFault: Error, CustomStringConvertible, Equatable {
    let file: String
    /// Counted from 1; nil when the fault is of the file as a whole.
    let line: Int?
    /// The field, such as `policy.retries`; empty for the file as a whole.
    let field: String
    let problem: String

    /// One line: file, line, field and problem.
    var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return field.isEmpty ? "\(place): \(problem)" : "\(place): \(field): \(problem)"
    }
}
