public import SpillwayCore

/// Keeps a conversation within a model's context window.
///
/// What does not fit is refused, or the oldest of it is left out: whole turns, from one message of the user to the next, so that
/// the conversation still begins with the user; of the last turn, when it is too long by itself, the oldest messages of the
/// model, each with the results of the tools that it called. System messages, pinned ones and the user's last message
/// always stay, and so does the newest of what follows that. What is left out can be summarised.
public struct ContextGuard: Sendable {
    /// What becomes of a conversation that is too long.
    public enum Strategy: Sendable, Hashable {
        /// It is refused.
        case refuse
        /// The oldest of it is left out.
        case slide
    }

    /// What is left of a conversation.
    public struct Fitted<Message> {
        /// The messages, in their order.
        public let messages: [Message]
        /// How many were left out.
        public let dropped: Int
        /// Tokens of what is left.
        public let tokens: Int
        /// Whether one of the messages is a summary of what was left out.
        public let isSummarised: Bool
    }

    /// Tokens that a message costs beside its text: its role and its borders.
    static let overhead = 4

    /// Tokens that the window holds, prompt and answer.
    public let window: Int
    /// Tokens of it that are kept for the answer.
    public let reserve: Int
    /// What becomes of a conversation that is too long.
    public let strategy: Strategy
    private let count: @Sendable (String) -> Int

    /// A guard of a window.
    ///
    /// - Parameters:
    ///   - window: Tokens, 1 to 100,000,000.
    ///   - reserve: Tokens of the longest answer, below `window`.
    ///   - strategy: What becomes of a conversation that is too long; its oldest is left out by default.
    ///   - count: Tokens of a text; ``TokenEstimate`` by default. A count below 0 counts as 0.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        window: Int, reserve: Int, strategy: Strategy = .slide,
        count: @escaping @Sendable (String) -> Int = { TokenEstimate.tokens(in: $0) }
    ) throws(ConfigurationError) {
        let check = Validation("ContextGuard")
        try check.count(window, "window", in: 1...100_000_000)
        try check.count(reserve, "reserve", in: 0...window - 1)
        self.window = window
        self.reserve = reserve
        self.strategy = strategy
        self.count = count
    }

    /// Tokens of a message: its text, and 4 for its role and its borders.
    public func tokens(of message: some ContextMessage) -> Int {
        min(max(0, count(message.contextText)), 1 << 40) + Self.overhead
    }

    /// The messages that are to be sent.
    ///
    /// - Throws: ``ContextTooLong`` with the figures.
    public func fit<Message: ContextMessage>(_ messages: [Message]) throws(ContextTooLong) -> Fitted<Message> {
        let plan = ContextPlan(messages, messages.map(tokens))
        let kept = try keep(plan, room: window - reserve)
        return fitted(messages, plan, kept)
    }

    /// The messages that are to be sent, with one in place of those that are left out.
    ///
    /// When `summarise` throws, or what it gives is longer than `budget`, they are left out without a summary. It may take as long as
    /// it likes, so give it a deadline.
    ///
    /// - Parameters:
    ///   - messages: The conversation.
    ///   - budget: Tokens of the longest summary, above 4.
    ///   - summarise: Makes one message of those that are left out; it is not called when none are.
    /// - Throws: ``ContextTooLong`` with the figures.
    public func fit<Message: ContextMessage>(
        _ messages: [Message], summaryOf budget: Int, _ summarise: ([Message]) async throws -> Message
    ) async throws(ContextTooLong) -> Fitted<Message> {
        let plan = ContextPlan(messages, messages.map(tokens)), room = window - reserve
        let kept = try keep(plan, room: room)
        // Room for the summary is made first: what goes for it must be in it.
        guard kept.contains(false), budget > Self.overhead, let fewer = plan.slide(to: room - budget) else {
            return fitted(messages, plan, kept)
        }
        let dropped = messages.indices.filter { !fewer[$0] }
        guard let summary = try? await summarise(dropped.map { messages[$0] }) else {
            return fitted(messages, plan, kept)
        }
        let cost = tokens(of: summary)
        guard cost <= budget else { return fitted(messages, plan, kept) }
        let rest = fitted(messages, plan, fewer)
        var result: [Message] = []
        for index in messages.indices {
            if index == dropped.first { result.append(summary) }
            if fewer[index] { result.append(messages[index]) }
        }
        return Fitted(messages: result, dropped: dropped.count, tokens: rest.tokens + cost, isSummarised: true)
    }

    private func keep(_ plan: ContextPlan, room: Int) throws(ContextTooLong) -> [Bool] {
        let kept = strategy == .refuse ? (plan.total <= room ? plan.all : nil) : plan.slide(to: room)
        guard let kept else {
            throw ContextTooLong(
                tokens: plan.total, needed: strategy == .refuse ? plan.total : plan.needed, window: window,
                reserve: reserve)
        }
        return kept
    }

    private func fitted<Message>(_ messages: [Message], _ plan: ContextPlan, _ kept: [Bool]) -> Fitted<Message> {
        Fitted(
            messages: messages.indices.filter { kept[$0] }.map { messages[$0] }, dropped: kept.count { !$0 },
            tokens: plan.tokens(kept), isSummarised: false)
    }
}
