/// Tokens that were read and written, of whatever calls.
struct Tokens: Codable, Sendable, Equatable {
    /// Tokens of prompts.
    var prompt: Int
    /// Tokens of answers.
    var generated: Int

    /// None.
    static let zero = Tokens(prompt: 0, generated: 0)

    /// The sum.
    static func + (left: Tokens, right: Tokens) -> Tokens {
        Tokens(prompt: left.prompt + right.prompt, generated: left.generated + right.generated)
    }

    /// The sum of them all.
    static func sum(_ counts: [Tokens]) -> Tokens { counts.reduce(.zero, +) }

    /// Whether no count is less than that of `other`.
    func covers(_ other: Tokens) -> Bool { prompt >= other.prompt && generated >= other.generated }
}
