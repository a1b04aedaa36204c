internal import SpillwayCore

/// What a bucket counts.
public enum Unit: Sendable, Hashable {
    /// One unit a call.
    case calls
    /// One unit a token: the prompt and the most that may be generated.
    case tokens
    /// One unit a token of the prompt.
    case inputTokens
    /// One unit a token that may be generated.
    case outputTokens

    func cost(of call: borrowing Call) -> UInt32 {
        switch self {
        case .calls: 1
        case .tokens: call.tokens.total
        case .inputTokens: call.tokens.input
        case .outputTokens: call.tokens.maxOutput
        }
    }

    /// What a call that ended has taken too much; below 0: what it used beyond.
    ///
    /// - Parameters:
    ///   - cost: What it took.
    ///   - outcome: How it ended; nil: it never ran.
    ///   - measured: What it used, where that is known; else it keeps what it took, unless the target surely did not begin it.
    func excess(of cost: Int, _ outcome: Outcome?, _ measured: Measurements) -> Int {
        guard let outcome else { return cost }
        if self == .calls { return 0 }
        guard let usage = measured.usage else { return outcome.cause.neverBegan ? cost : 0 }
        return cost - count(usage)
    }

    private func count(_ usage: Usage) -> Int {
        switch self {
        case .calls: 1
        case .tokens: usage.tokens
        case .inputTokens: usage.promptTokens
        case .outputTokens: usage.answerTokens
        }
    }
}
