/// A parameter that cannot work, refused when the policy is made or updated.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// The policy that refused, such as `CircuitBreaker`.
    public let policy: String
    /// The field, as it is called in code.
    public let field: String
    /// The value that was given.
    public let value: String
    /// What would have been accepted.
    public let expected: String

    /// A refusal of `field` for its `value`.
    public init(policy: String, field: String, value: String, expected: String) {
        self.policy = policy
        self.field = field
        self.value = value
        self.expected = expected
    }

    /// One line that names the policy, the field, the value and what is accepted.
    public var description: String {
        "\(policy): \(field) is \(value), but must be \(expected)"
    }
}

/// Checks the fields of one policy's configuration.
package struct Validation {
    package let policy: String

    package init(_ policy: String) { self.policy = policy }

    package func require(
        _ holds: Bool, _ field: String, _ value: some Any, _ expected: String
    ) throws(ConfigurationError) {
        guard holds else {
            throw ConfigurationError(policy: policy, field: field, value: "\(value)", expected: expected)
        }
    }

    /// A duration from `least` to 10 years.
    package func duration(
        _ value: Duration, _ field: String, atLeast least: Duration = .zero
    ) throws(ConfigurationError) {
        try require(
            value >= least && value <= .seconds(315_576_000), field, value, "from \(least) to 10 years"
        )
    }

    /// A finite number in `range`.
    package func number(
        _ value: Double, _ field: String, in range: ClosedRange<Double>
    ) throws(ConfigurationError) {
        try require(
            value.isFinite && range.contains(value), field, value,
            "a number from \(range.lowerBound) to \(range.upperBound)")
    }

    /// A whole number in `range`.
    package func count(_ value: Int, _ field: String, in range: ClosedRange<Int>) throws(ConfigurationError) {
        try require(range.contains(value), field, value, "from \(range.lowerBound) to \(range.upperBound)")
    }

    /// A name of 1 to 200 bytes.
    package func name(_ value: String) throws(ConfigurationError) {
        try require((1...200).contains(value.utf8.count), "name", "'\(value)'", "1 to 200 bytes long")
    }
}
