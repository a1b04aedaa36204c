public import SpillwayCore

/// A message of a conversation, as a ``ContextGuard`` sees it.
public protocol ContextMessage {
    /// Who says it.
    var contextRole: ContextRole { get }
    /// What is sent to the model, for the count of tokens.
    var contextText: String { get }
    /// Whether it must stay, however old it is; false by default.
    var isPinned: Bool { get }
}

extension ContextMessage {
    /// It may go.
    public var isPinned: Bool { false }
}

/// Who says a message.
public enum ContextRole: Sendable, Hashable, CaseIterable {
    /// Whoever set the conversation up: it always stays.
    case system
    /// The user: begins a turn.
    case user
    /// The model, with or without calls of tools.
    case assistant
    /// The result of a tool: stays or goes with the assistant's message before it, which called the tool.
    case tool
}

/// A conversation that does not fit the model's context window.
///
/// A policy takes it for `Outcome.neutral(.contextTooLong)`: a model with a larger window may do.
public struct ContextTooLong: OutcomeError, Hashable, CustomStringConvertible {
    /// Tokens of the whole conversation.
    public let tokens: Int
    /// Tokens of what may not be left out.
    public let needed: Int
    /// Tokens that the window holds.
    public let window: Int
    /// Of which are kept for the answer.
    public let reserve: Int

    /// A conversation that does not fit, for guards of your own.
    public init(tokens: Int, needed: Int, window: Int, reserve: Int) {
        self.tokens = tokens
        self.needed = needed
        self.window = window
        self.reserve = reserve
    }

    /// What it says about the target: that the prompt does not fit.
    public var outcome: Outcome { .neutral(.contextTooLong) }

    /// One line with all figures.
    public var description: String {
        "\(tokens) tokens, \(needed) of them needed, but the window of \(window) has \(window - reserve) beside the answer"
    }
}
